// The keyspace as plainly as it can be written: a list of pairs sorted anew for every question. What the tests
// hold against the real one.
import type {
  Command,
  CommandResult,
  KeyValue,
  Proposal,
  StoredValue,
} from '../../engine/protocol/command.ts';
import type { KeyRange } from '../../engine/protocol/json-line.ts';

type Outcome = CommandResult extends infer Result
  ? Result extends CommandResult
    ? Omit<Result, 'message'>
    : never
  : never;

const LIMIT = 2n ** 63n;

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1'));
}

function integer(text: string): bigint | null {
  if (!/^-?\d+$/.test(text) || BigInt(text).toString() !== text) return null;
  const value = BigInt(text);
  return value >= -LIMIT && value < LIMIT ? value : null;
}

export class ModelKeyspace {
  readonly records = new Map<string, StoredValue & { revision: number }>();
  readonly #sessions = new Map<string, { sequence: number; outcome: Outcome }>();
  revision = 0;

  apply(index: number, term: number, { command, session }: Proposal): Outcome {
    const at = { index, term };
    if (session === null) return this.#execute(at, command);
    const known = this.#sessions.get(session.client);
    if (known?.sequence === session.sequence) return known.outcome;
    if (known !== undefined && known.sequence > session.sequence) {
      return { type: 'failed', ...at, code: 'INVALID_ARGUMENT', outcome: 'unknown' };
    }
    const outcome = this.#execute(at, command);
    this.#sessions.set(session.client, { sequence: session.sequence, outcome });
    return outcome;
  }

  #execute(at: { index: number; term: number }, command: Command): Outcome {
    const failed: Outcome = { type: 'failed', ...at, code: 'INVALID_ARGUMENT' };
    switch (command.type) {
      case 'set':
        this.#put(command, at.index);
        return { type: 'set', ...at, revision: at.index };
      case 'bulkSet':
        for (const item of command.items) this.#put(item, at.index);
        return { type: 'bulkSet', ...at, count: command.items.length, revision: at.index };
      case 'delete': {
        const existed = this.records.delete(command.key);
        if (existed) this.revision = at.index;
        return { type: 'delete', ...at, existed, revision: existed ? at.index : 0 };
      }
      case 'incr': {
        const before = this.records.get(command.key);
        const current = integer(before?.value ?? '0');
        const by = integer(command.by);
        if (current === null || by === null || integer(String(current + by)) === null) return failed;
        const value = String(current + by);
        this.#put({ key: command.key, value, kind: before?.kind ?? 1 }, at.index);
        return { type: 'incr', ...at, value, revision: at.index };
      }
      case 'cas': {
        const before = this.records.get(command.key);
        const { key, expected, value, kind } = command;
        const same =
          before === undefined
            ? expected === null
            : expected?.value === before.value && expected.kind === before.kind;
        if (same) {
          this.#put({ key, value, kind }, at.index);
          return { type: 'cas', ...at, swapped: true, current: { value, kind }, revision: at.index };
        }
        const current = before === undefined ? null : { value: before.value, kind: before.kind };
        return { type: 'cas', ...at, swapped: false, current, revision: before?.revision ?? 0 };
      }
    }
  }

  #put({ key, value, kind }: KeyValue, revision: number): void {
    // A command with items that changes nothing has no revision of its own.
    this.revision = revision;
    this.records.set(key, { value, kind, revision });
  }

  /** All keys of a range, whatever its limit. */
  keys(range: KeyRange): string[] {
    return [...this.records.keys()]
      .filter((key) => key.startsWith(range.prefix) && byBytes(key, range.start) >= 0)
      .filter((key) => range.end === null || byBytes(key, range.end) < 0)
      .filter((key) => range.after === null || byBytes(key, range.after) > 0)
      .sort(byBytes);
  }

  get bytes(): number {
    return [...this.records].reduce((sum, [key, { value }]) => sum + key.length + value.length, 0);
  }
}
