// The keyspace as plainly as it can be written: a list of pairs sorted anew for every question. What the tests
// hold against the real one.
import type {
  CommandResult,
  ExpireCondition,
  Expiry,
  Guard,
  KeyValue,
  Operation,
  OperationResult,
  Proposal,
  StoredValue,
} from '../../engine/protocol/command.ts';
import type { KeyRange } from '../../engine/protocol/json-line.ts';

type WithoutMessage<Result> = Result extends { results: unknown }
  ? Omit<Result, 'results'> & { results: WithoutMessage<OperationResult>[] }
  : Result extends unknown
    ? Omit<Result, 'message'>
    : never;
type Outcome = WithoutMessage<CommandResult>;
type Part = WithoutMessage<OperationResult>;

interface ModelRecord extends StoredValue {
  revision: number;
  expiresAt?: number;
}

const LIMIT = 2n ** 63n;
const VALUE_MAX = 16 * 1024 * 1024;

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1'));
}

function integer(text: string): bigint | null {
  if (!/^-?\d+$/.test(text) || BigInt(text).toString() !== text) return null;
  const value = BigInt(text);
  return value >= -LIMIT && value < LIMIT ? value : null;
}

/** More places than the generated values ever have. */
const ONE = 10n ** 60n;

/** In units of 1 / ONE; null when it is no number. */
function decimal(text: string): bigint | null {
  const [, sign, whole = '', part = '', exponent = '0'] =
    /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  if (whole + part === '') return null;
  const shift = Number(exponent) - part.length;
  const size = BigInt(whole + part) * ONE;
  const value = shift < 0 ? size / 10n ** BigInt(-shift) : size * 10n ** BigInt(shift);
  return sign === '-' ? -value : value;
}

/** Whole numbers exactly, others as doubles. */
function numericOrder(left: string, right: string): number | null {
  if (decimal(left) === null || decimal(right) === null) return null;
  const whole = /^-?\d+$/.test(left) && /^-?\d+$/.test(right);
  const [a, b] = whole ? [BigInt(left), BigInt(right)] : [Number(left), Number(right)];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** With 17 places at most, half away from zero, and no needless zeros. */
function spelled(value: bigint): string {
  const size = value < 0n ? -value : value;
  const digits = String((size / (ONE / 10n ** 18n) + 5n) / 10n).padStart(18, '0');
  const text = `${digits.slice(0, -17)}.${digits.slice(-17)}`.replace(/\.?0*$/, '');
  return value < 0n && text !== '0' ? `-${text}` : text;
}

const failure = (reason: string): Part => ({ type: 'failed', code: 'INVALID_ARGUMENT', reason }) as Part;

export class ModelKeyspace {
  /** Also those that have ended and that no entry has removed. */
  #records = new Map<string, ModelRecord>();
  readonly #sessions = new Map<string, { sequence: number; outcome: Outcome }>();
  revision = 0;
  time = 0;

  apply(index: number, term: number, { command, session, time = 0 }: Proposal): Outcome {
    const at = { index, term };
    if (time > 0) {
      this.time = Math.max(this.time, time);
      this.#removeDue(index, 16);
    }
    const execute = (): Outcome => {
      if (command.type === 'txn') return { ...at, ...this.#transact(index, command) } as Outcome;
      if (command.type === 'advanceTime') {
        const count = this.#removeDue(index, 1024);
        return { ...at, type: 'count', count, revision: count > 0 ? index : 0 };
      }
      return { ...at, ...this.#do(index, command) } as Outcome;
    };
    if (session === null) return execute();
    const known = this.#sessions.get(session.client);
    if (known?.sequence === session.sequence) return known.outcome;
    if (known !== undefined && known.sequence > session.sequence) {
      return { type: 'failed', ...at, code: 'INVALID_ARGUMENT', outcome: 'unknown' };
    }
    const outcome = execute();
    this.#sessions.set(session.client, { sequence: session.sequence, outcome });
    return outcome;
  }

  #removeDue(index: number, max: number): number {
    const due = [...this.#records]
      .filter(([, { expiresAt }]) => expiresAt !== undefined && expiresAt <= this.time)
      .sort((a, b) => (a[1].expiresAt ?? 0) - (b[1].expiresAt ?? 0) || byBytes(a[0], b[0]))
      .slice(0, max);
    for (const [key] of due) this.#records.delete(key);
    if (due.length > 0) this.revision = index;
    return due.length;
  }

  /** What exists. */
  get records(): Map<string, ModelRecord> {
    const exists = ({ expiresAt }: ModelRecord) => expiresAt === undefined || expiresAt > this.time;
    return new Map([...this.#records].filter(([, record]) => exists(record)));
  }

  #find(key: string): ModelRecord | undefined {
    const record = this.#records.get(key);
    return record?.expiresAt !== undefined && record.expiresAt <= this.time ? undefined : record;
  }

  #stored(key: string): StoredValue | null {
    const record = this.#find(key);
    return record === undefined ? null : { value: record.value, kind: record.kind };
  }

  #put({ key, value, kind }: KeyValue, revision: number, expiresAt?: number): void {
    this.revision = revision;
    this.#records.set(key, {
      value,
      kind,
      revision,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
  }

  #remove(key: string, index: number): boolean {
    if (this.#find(key) === undefined) return false;
    this.#records.delete(key);
    this.revision = index;
    return true;
  }

  #end(expiry: Expiry, key: string): number | undefined {
    if (expiry.type === 'keep') return this.#find(key)?.expiresAt;
    if (expiry.type === 'after') return Math.max(1, this.time + expiry.ms);
    return expiry.type === 'at' ? Math.max(1, expiry.ms) : undefined;
  }

  #putUntil(item: KeyValue, index: number, end: number | undefined): void {
    if (end !== undefined && end <= this.time) this.#remove(item.key, index);
    else this.#put(item, index, end);
  }

  #transact(index: number, txn: Extract<Proposal['command'], { type: 'txn' }>): object {
    const succeeded = txn.compare.every((guard) => this.#holds(guard));
    const [records, revision] = [new Map(this.#records), this.revision];
    const results: Part[] = [];
    this.revision = -1;
    for (const [at, operation] of (succeeded ? txn.success : txn.failure).entries()) {
      const result = this.#do(index, operation);
      results.push(result);
      if (result.type !== 'failed' || txn.onFailure === 'continue') continue;
      this.#records = records;
      this.revision = revision;
      return { ...result, operation: at };
    }
    const changed = this.revision !== -1;
    if (!changed) this.revision = revision;
    return { type: 'txn', succeeded, results, revision: changed ? index : 0 };
  }

  #holds(guard: Guard): boolean {
    const record = this.#find(guard.key);
    const related = (left: number | string, right: number | string, relation: string) =>
      ({ '=': left === right, '!=': left !== right, '<': left < right, '>': left > right })[relation] ===
      true;
    if (guard.type === 'exists') return guard.exists === (record !== undefined);
    if (guard.type === 'revision') return related(record?.revision ?? 0, guard.revision, guard.relation);
    const spell = (stored: StoredValue | null | undefined) =>
      stored === null || stored === undefined ? 'absent' : `${stored.kind}${stored.value}`;
    if (guard.relation === '=' || guard.relation === '!=') {
      return (spell(record) === spell(guard.value)) === (guard.relation === '=');
    }
    if (record === undefined || guard.value === null) return false;
    if (record.kind === 1 && guard.value.kind === 1) {
      const order = numericOrder(record.value, guard.value.value);
      if (order !== null) return related(order, 0, guard.relation);
    }
    return related(byBytes(record.value, guard.value.value), 0, guard.relation);
  }

  #do(index: number, command: Operation): Part {
    switch (command.type) {
      case 'set':
        this.#put(command, index);
        return { type: 'set', revision: index };
      case 'bulkSet':
        for (const item of command.items) this.#put(item, index);
        return { type: 'bulkSet', count: command.items.length, revision: index };
      case 'bulkSetWith':
        if (command.ifAllAbsent && command.items.some((item) => this.#find(item.key) !== undefined))
          return { type: 'bulkSet', count: 0, revision: 0 };
        for (const item of command.items) this.#putUntil(item, index, this.#end(item.expiry, item.key));
        return { type: 'bulkSet', count: command.items.length, revision: index };
      case 'delete': {
        const existed = this.#remove(command.key, index);
        return { type: 'delete', existed, revision: existed ? index : 0 };
      }
      case 'deleteMany': {
        const count = command.keys.filter((key) => this.#remove(key, index)).length;
        return { type: 'count', count, revision: count > 0 ? index : 0 };
      }
      case 'flush': {
        const count = this.records.size;
        this.#records = new Map();
        this.revision = index;
        return { type: 'count', count, revision: index };
      }
      case 'incr':
      case 'incrByFloat':
        return this.#increment(index, command);
      case 'cas': {
        const before = this.#find(command.key);
        const { key, expected, value, kind } = command;
        const same =
          before === undefined
            ? expected === null
            : expected?.value === before.value && expected.kind === before.kind;
        if (same) {
          this.#put({ key, value, kind }, index);
          return { type: 'cas', swapped: true, current: { value, kind }, revision: index };
        }
        return { type: 'cas', swapped: false, current: this.#stored(key), revision: before?.revision ?? 0 };
      }
      case 'setWith': {
        const before = this.#find(command.key);
        const previous = command.returnsPrevious ? this.#stored(command.key) : null;
        if ((command.when === 'absent' && before) || (command.when === 'present' && !before))
          return { type: 'setWith', written: false, previous, revision: before?.revision ?? 0 };
        this.#putUntil(command, index, this.#end(command.expiry, command.key));
        return { type: 'setWith', written: true, previous, revision: index };
      }
      case 'append':
      case 'setRange':
        return this.#grow(index, command);
      default:
        return this.#doMore(index, command);
    }
  }

  #doMore(index: number, command: Operation): Part {
    switch (command.type) {
      case 'getAndDelete': {
        const value = this.#stored(command.key);
        this.#remove(command.key, index);
        return { type: 'value', value, revision: value === null ? 0 : index };
      }
      case 'getAndExpire': {
        const [value, before] = [this.#stored(command.key), this.#find(command.key)];
        if (value === null || before === undefined) return { type: 'value', value: null, revision: 0 };
        const end = this.#end(command.expiry, command.key);
        if (end === before.expiresAt) return { type: 'value', value, revision: before.revision };
        this.#putUntil({ key: command.key, ...value }, index, end);
        return { type: 'value', value, revision: index };
      }
      case 'persist': {
        const before = this.#find(command.key);
        if (before?.expiresAt === undefined)
          return { type: 'changed', changed: false, revision: before?.revision ?? 0 };
        this.#put({ ...before, key: command.key }, index);
        return { type: 'changed', changed: true, revision: index };
      }
      case 'expire':
        return this.#expire(index, command);
      case 'rename':
      case 'copy':
        return this.#move(index, command);
      case 'get':
        return {
          type: 'value',
          value: this.#stored(command.key),
          revision: this.#find(command.key)?.revision ?? 0,
        };
      case 'getMany':
        return { type: 'values', values: command.keys.map((key) => this.#stored(key)), revision: 0 };
      case 'getRange': {
        // As `subarray` counts from the end; only its end is exclusive.
        const bytes = Buffer.from(this.#find(command.key)?.value ?? '', 'latin1');
        const end = command.end < 0 ? Math.max(0, bytes.length + command.end) : command.end;
        const crossed = command.start < 0 && command.end < 0 && command.start > command.end;
        const value = crossed ? '' : bytes.subarray(command.start, end + 1).toString('latin1');
        return {
          type: 'value',
          value: { value, kind: 0 },
          revision: this.#find(command.key)?.revision ?? 0,
        };
      }
      case 'strlen':
        return {
          type: 'length',
          length: this.#find(command.key)?.value.length ?? 0,
          revision: this.#find(command.key)?.revision ?? 0,
        };
      case 'exists':
        return { type: 'count', count: command.keys.filter((key) => this.#find(key)).length, revision: 0 };
      case 'expiryOf': {
        const record = this.#find(command.key);
        const [exists, expiresAt] = [record !== undefined, record?.expiresAt ?? null];
        return { type: 'expiry', exists, expiresAt, time: this.time, revision: record?.revision ?? 0 };
      }
      case 'count':
        return { type: 'count', count: this.records.size, revision: 0 };
      case 'keys': {
        const keys = this.keys(command.range);
        const page = keys.slice(0, command.range.limit);
        const next = keys.length > page.length ? (page.at(-1) ?? null) : null;
        return { type: 'keys', keys: page, next, revision: 0 };
      }
      case 'randomKey': {
        const keys = [...this.records.keys()].sort(byBytes);
        const drawn = keys[command.seed % keys.length];
        return { type: 'keys', keys: drawn === undefined ? [] : [drawn], next: null, revision: 0 };
      }
      default:
        throw new Error(command.type);
    }
  }

  #increment(index: number, command: Extract<Operation, { type: 'incr' | 'incrByFloat' }>): Part {
    const before = this.#find(command.key);
    const current = before?.value ?? '0';
    if (command.type === 'incr') {
      const [left, right] = [integer(current), integer(command.by)];
      if (left === null) return failure('notInteger');
      if (right === null) return failure('incrementNotInteger');
      if (integer(String(left + right)) === null) return failure('overflow');
      return this.#counted(index, command, String(left + right));
    }
    const [left, right] = [decimal(current), decimal(command.by)];
    if (left === null) return failure('notFloat');
    if (right === null) return failure('incrementNotFloat');
    const sum = left + right;
    if (!Number.isFinite(Number(sum / ONE))) return failure('notFinite');
    return this.#counted(index, command, spelled(sum));
  }

  #counted(index: number, { type, key }: { type: 'incr' | 'incrByFloat'; key: string }, value: string): Part {
    const before = this.#find(key);
    this.#put({ key, value, kind: before?.kind ?? 1 }, index, before?.expiresAt);
    return { type, value, revision: index };
  }

  #grow(index: number, command: Extract<Operation, { type: 'append' | 'setRange' }>): Part {
    const before = this.#find(command.key);
    const current = Buffer.from(before?.value ?? '', 'latin1');
    const piece = Buffer.from(command.value, 'latin1');
    if (command.type === 'setRange' && piece.length === 0)
      return { type: 'length', length: current.length, revision: before?.revision ?? 0 };
    const offset = command.type === 'append' ? current.length : command.offset;
    const length = Math.max(current.length, offset + piece.length);
    if (length > VALUE_MAX) return failure('tooLong');
    const grown = Buffer.alloc(length);
    current.copy(grown);
    piece.copy(grown, offset);
    this.#put({ key: command.key, value: grown.toString('latin1'), kind: 0 }, index, before?.expiresAt);
    return { type: 'length', length, revision: index };
  }

  #expire(index: number, { key, expiry, when }: Extract<Operation, { type: 'expire' }>): Part {
    const before = this.#find(key);
    const no: Part = { type: 'changed', changed: false, revision: before?.revision ?? 0 };
    if (before === undefined) return no;
    const [now, next] = [before.expiresAt ?? Number.POSITIVE_INFINITY, this.#end(expiry, key)];
    const until = next ?? Number.POSITIVE_INFINITY;
    const allowed: Record<ExpireCondition, boolean> = {
      always: true,
      ifNone: before.expiresAt === undefined,
      ifSome: before.expiresAt !== undefined,
      ifLater: until > now,
      ifEarlier: until < now,
      ifSomeAndEarlier: before.expiresAt !== undefined && until < now,
    };
    if (!allowed[when]) return no;
    this.#putUntil({ key, value: before.value, kind: before.kind }, index, next);
    return { type: 'changed', changed: true, revision: index };
  }

  #move(index: number, command: Extract<Operation, { type: 'rename' | 'copy' }>): Part {
    const { from, to } = command;
    const [source, target] = [this.#find(from), this.#find(to)];
    const no: Part = { type: 'changed', changed: false, revision: target?.revision ?? 0 };
    if (command.type === 'rename') {
      if (source === undefined) return failure('noSuchKey');
      if (command.ifAbsent && target !== undefined) return no;
      if (from === to) return { type: 'changed', changed: true, revision: source.revision };
      this.#records.delete(from);
    } else if (source === undefined || from === to || (target !== undefined && !command.replace)) {
      return no;
    }
    this.#put({ ...source, key: to }, index, source.expiresAt);
    return { type: 'changed', changed: true, revision: index };
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
    return [...this.#records].reduce((sum, [key, { value }]) => sum + key.length + value.length, 0);
  }
}
