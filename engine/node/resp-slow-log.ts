// SLOWLOG: commands that kept this node's only thread busy for long. What waits for disks and peers is not counted,
// as in Redis; commands that cannot take long are not measured.
import type { ByteString } from '../protocol/command.ts';
import { array, bulk, bulks, integer } from '../protocol/resp-encode.ts';

interface SlowCommand {
  id: number;
  /** Seconds since 1970. */
  at: number;
  tookUs: number;
  argv: ByteString[];
  address: string;
  name: ByteString;
}

const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

/** As Redis shortens them. */
function shortened(argv: readonly ByteString[]): ByteString[] {
  const kept = argv
    .slice(0, argv.length > ARGUMENTS_MAX ? ARGUMENTS_MAX - 1 : ARGUMENTS_MAX)
    .map((argument) => {
      const extra = argument.length - ARGUMENT_BYTES_MAX;
      return extra > 0 ? `${argument.slice(0, ARGUMENT_BYTES_MAX)}... (${extra} more bytes)` : argument;
    });
  if (argv.length > ARGUMENTS_MAX) kept.push(`... (${argv.length - ARGUMENTS_MAX + 1} more arguments)`);
  return kept;
}

export class SlowLog {
  /** The newest first. */
  #commands: SlowCommand[] = [];
  #nextId = 0;

  get length(): number {
    return this.#commands.length;
  }

  add(
    argv: readonly ByteString[],
    {
      tookUs,
      address,
      name,
      lengthMax,
    }: { tookUs: number; address: string; name: ByteString; lengthMax: number },
  ): void {
    const at = Math.floor(Date.now() / 1000);
    this.#commands.unshift({
      id: this.#nextId++,
      at,
      tookUs: Math.round(tookUs),
      argv: shortened(argv),
      address,
      name,
    });
    if (this.#commands.length > lengthMax) this.#commands.length = lengthMax;
  }

  /** `count` below zero: all. */
  reply(count: number): ByteString {
    const wanted = count < 0 ? this.#commands : this.#commands.slice(0, count);
    return array(
      wanted.map(({ id, at, tookUs, argv, address, name }) =>
        array([integer(id), integer(at), integer(tookUs), bulks(argv), bulk(address), bulk(name)]),
      ),
    );
  }

  clear(): void {
    this.#commands = [];
  }
}
