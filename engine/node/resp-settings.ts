// CONFIG GET and SET: what Redis's tools ask for, as far as it exists here. Most of it is fixed when a node starts.
import type { ByteString } from '../protocol/command.ts';
import { RespGlob } from '../protocol/resp-glob.ts';
import type { NodeConfig } from './node-config.ts';
import { parseWhole } from './resp-numbers.ts';

/** Whose commands, replies and error texts are kept. */
export const REDIS_VERSION = '7.0.15';

interface Setting {
  read(): string;
  /** A sentence when the value does not fit; null when it is set. Without it the setting is fixed. */
  write?(value: ByteString): string | null;
}

const INT32_MAX = 2 ** 31 - 1;

export class RespSettings {
  /** Microseconds; below zero: nothing is logged. */
  slowerThanUs = 10_000;
  slowLogLengthMax = 128;
  readonly #settings: ReadonlyMap<string, Setting>;

  constructor(config: NodeConfig) {
    const { limits } = config;
    const fixed = (value: string | number): Setting => ({ read: () => String(value) });
    this.#settings = new Map<string, Setting>([
      ['appendfsync', fixed('always')],
      ['appendonly', fixed('yes')],
      ['bind', fixed(config.client.host)],
      ['client-output-buffer-limit', fixed(`normal ${limits.replyBytesMax} 0 0 slave 0 0 0 pubsub 0 0 0`)],
      ['databases', fixed(1)],
      ['dir', fixed(config.dataDir)],
      ['maxclients', fixed(limits.connectionsMax)],
      ['maxmemory', fixed(0)],
      ['maxmemory-policy', fixed('noeviction')],
      ['port', fixed(config.client.port)],
      ['proto-max-bulk-len', fixed(limits.valueBytesMax)],
      ['save', fixed('')],
      ['timeout', fixed(0)],
      [
        'slowlog-log-slower-than',
        this.#number(
          () => this.slowerThanUs,
          (value) => (this.slowerThanUs = value),
          -1,
        ),
      ],
      [
        'slowlog-max-len',
        this.#number(
          () => this.slowLogLengthMax,
          (value) => (this.slowLogLengthMax = value),
          0,
        ),
      ],
    ]);
  }

  #number(read: () => number, write: (value: number) => void, min: number): Setting {
    return {
      read: () => String(read()),
      write(text) {
        const value = parseWhole(text);
        if (value === null) return "argument couldn't be parsed into an integer";
        if (value < min || value > INT32_MAX)
          return `argument must be between ${min} and ${INT32_MAX} inclusive`;
        write(value);
        return null;
      },
    };
  }

  /** Names and values of the settings that match one of the patterns. */
  get(patterns: readonly ByteString[]): [string, string][] {
    const globs = patterns.map((pattern) => new RespGlob(pattern.toLowerCase()));
    const found: [string, string][] = [];
    for (const [name, setting] of this.#settings) {
      if (globs.some((glob) => glob.matches(name))) found.push([name, setting.read()]);
    }
    return found;
  }

  /** Pairs of names and values; all or none. Null, or an error sentence without its code. */
  set(pairs: readonly (readonly [ByteString, ByteString])[]): string | null {
    const before: [Setting, string][] = [];
    for (const [given, value] of pairs) {
      const name = given.toLowerCase();
      const setting = this.#settings.get(name);
      const fault = this.#fault(name, setting);
      if (setting === undefined || fault !== null) return fault;
      before.push([setting, setting.read()]);
      const refusal = setting.write?.(value) ?? null;
      if (refusal === null) continue;
      for (const [changed, old] of before.reverse()) changed.write?.(old);
      return `CONFIG SET failed (possibly related to argument '${name}') - ${refusal}`;
    }
    return null;
  }

  #fault(name: string, setting: Setting | undefined): string | null {
    if (setting === undefined) {
      return `Unknown option or number of arguments for CONFIG SET - '${name}'`;
    }
    if (setting.write !== undefined) return null;
    return `CONFIG SET failed (possibly related to argument '${name}') - can't set immutable config`;
  }
}
