// A simulated client: one operation at a time, to whoever it takes for the leader, again and again with the same
// session and sequence until it is answered or gives up. It writes down what it saw.
import type { Command, CommandResult, Proposal, StoredValue } from '../protocol/command.ts';
import { ValueKind } from '../protocol/command.ts';
import type { NodeId } from '../raft/types.ts';
import type { CounterChecker } from './checkers/counters.ts';
import type { HistoryRecorder, RecordedOperation } from './history.ts';
import { type ClientPlan, TIME_PER_TICK } from './plan.ts';
import type { Random } from './random.ts';
import type { ClientReply, ClientRequest } from './requests.ts';

export interface ClientWorld {
  readonly now: () => number;
  readonly schedule: (delay: number, kind: string, run: () => void) => void;
  /** Through the network, there and back; replies may be late, twice, or never. */
  readonly request: (node: NodeId, request: ClientRequest, onReply: (reply: ClientReply) => void) => void;
  /** Of the members, as they are known to everybody. */
  readonly nodeIds: () => readonly NodeId[];
  readonly history: HistoryRecorder;
  readonly counters: CounterChecker;
  readonly count: (what: string) => void;
}

interface Operation {
  request: ClientRequest;
  /** One for each key that it touches; empty for an increment. */
  records: RecordedOperation[];
  /** Of an increment. */
  counter: { key: string; call: number } | null;
  attempts: number;
  /** Since the client is to stop. */
  lastAttempts: number;
  /** May be sent again after an unknown outcome. */
  isRepeatable: boolean;
  /** A request was sent whose fate is not known. */
  isInDoubt: boolean;
  target: NodeId;
  isRead: boolean;
}

const ATTEMPTS_MAX = 12;

export class SimulatedClient {
  readonly id: number;
  readonly #world: ClientWorld;
  readonly #plan: ClientPlan;
  readonly #random: Random;
  readonly #hasSession: boolean;
  /** Of 16 bytes; drawn anew when the client starts over. */
  #session: string;
  #sequence = 0;
  /** Rises when an operation ends without an answer: its process cannot go on in the history. */
  #incarnation = 0;
  #valueCount = 0;
  #leader: NodeId;
  /** What it saw last of each key. */
  readonly #seen = new Map<string, StoredValue | null>();
  #current: Operation | null = null;
  /** No new operations. */
  isStopping = false;

  constructor(world: ClientWorld, id: number, plan: ClientPlan, random: Random) {
    this.#world = world;
    this.id = id;
    this.#plan = plan;
    this.#random = random;
    this.#hasSession = random.chance(plan.sessions);
    this.#session = this.#drawSession();
    this.#leader = random.pick(world.nodeIds());
  }

  get isIdle(): boolean {
    return this.#current === null;
  }

  start(): void {
    this.#think();
  }

  /** Nobody waits for the operation under way any more. */
  abandon(): void {
    const operation = this.#current;
    if (operation === null) return;
    operation.isInDoubt = true;
    this.#giveUp(operation);
  }

  #drawSession(): string {
    const noise = String.fromCharCode(this.#random.below(256), this.#random.below(256));
    return `client ${this.id}`.padEnd(14, '.') + noise;
  }

  #think(): void {
    const delay = this.#random.below(this.#plan.thinkTicksMax * TIME_PER_TICK);
    this.#world.schedule(delay, 'client', () => {
      if (!this.isStopping) this.#begin();
    });
  }

  #begin(): void {
    const operation = this.#random.chance(this.#plan.reads) ? this.#drawRead() : this.#drawWrite();
    this.#current = operation;
    this.#send(operation);
  }

  #drawKey(): string {
    return `k${this.#random.below(this.#plan.keys)}`;
  }

  #record(f: RecordedOperation['f'], key: string, value: RecordedOperation['value']): RecordedOperation {
    // Each key of a bulk write is an operation of its own, side by side with the others.
    const process = `c${this.id}.${this.#incarnation}/${key}`;
    return this.#world.history.invoke({ process, f, key, value });
  }

  #drawRead(): Operation {
    const key = this.#drawKey();
    const anywhere = this.#random.chance(this.#plan.followerReads);
    return {
      request: { type: 'read', key },
      records: [this.#record('read', key, null)],
      counter: null,
      attempts: 0,
      lastAttempts: 0,
      isRepeatable: true,
      isInDoubt: false,
      target: anywhere ? this.#random.pick(this.#world.nodeIds()) : this.#leader,
      isRead: true,
    };
  }

  #drawWrite(): Operation {
    const { command, records, counter } = this.#drawCommand();
    this.#sequence += 1;
    const session = this.#hasSession ? { client: this.#session, sequence: this.#sequence } : null;
    const proposal: Proposal = { command, session };
    return {
      request: { type: 'write', proposal },
      records,
      counter,
      attempts: 0,
      lastAttempts: 0,
      isRepeatable: this.#hasSession,
      isInDoubt: false,
      target: this.#leader,
      isRead: false,
    };
  }

  #newValue(): string {
    this.#valueCount += 1;
    return `v${this.id}.${this.#valueCount}`;
  }

  #drawCommand(): { command: Command; records: RecordedOperation[]; counter: Operation['counter'] } {
    const random = this.#random;
    const key = this.#drawKey();
    const kind = ValueKind.bytes;
    const value = this.#newValue();
    switch (random.below(8)) {
      case 0:
        return {
          command: { type: 'delete', key },
          records: [this.#record('write', key, null)],
          counter: null,
        };
      case 1: {
        const items = random
          .shuffled(Array.from({ length: this.#plan.keys }, (_, at) => `k${at}`))
          .slice(0, 1 + random.below(3))
          .map((item) => ({ key: item, value, kind }));
        const records = items.map((item) => this.#record('write', item.key, value));
        return { command: { type: 'bulkSet', items }, records, counter: null };
      }
      case 2:
      case 3: {
        const expected = this.#seen.get(key) ?? null;
        const record = this.#record('cas', key, [expected?.value ?? null, value]);
        return { command: { type: 'cas', key, expected, value, kind }, records: [record], counter: null };
      }
      case 4:
      case 5: {
        const counter = `n${random.below(2)}`;
        const call = this.#world.counters.call(counter);
        return {
          command: { type: 'incr', key: counter, by: '1' },
          records: [],
          counter: { key: counter, call },
        };
      }
      default:
        return {
          command: { type: 'set', key, value, kind },
          records: [this.#record('write', key, value)],
          counter: null,
        };
    }
  }

  #send(operation: Operation): void {
    operation.attempts += 1;
    // What has a session may be heard twice: a copy that was sent away says nothing about the other.
    if (!operation.isRead && operation.isRepeatable) operation.isInDoubt = true;
    const attempt = operation.attempts;
    this.#world.request(operation.target, operation.request, (reply) => {
      // A late answer to an earlier attempt is as good as one to the last: it is the same operation.
      if (this.#current === operation) this.#take(operation, attempt, reply);
    });
    // Whoever only waits for a last answer does not add to a backlog.
    if (this.isStopping) operation.lastAttempts += 1;
    const patience =
      this.#plan.patienceTicks * TIME_PER_TICK * Math.max(1, Math.min(8, operation.lastAttempts));
    this.#world.schedule(patience, 'client', () => {
      if (this.#current !== operation || operation.attempts !== attempt) return;
      operation.isInDoubt = true;
      this.#leader = this.#random.pick(this.#world.nodeIds());
      this.#retry(operation);
    });
  }

  #take(operation: Operation, attempt: number, reply: ClientReply): void {
    switch (reply.type) {
      case 'written':
        this.#leader = operation.target;
        this.#finishWrite(operation, reply.result);
        return;
      case 'value':
        this.#finishRead(operation, reply.value);
        return;
      case 'unknown':
        operation.isInDoubt = true;
        break;
      case 'redirect':
        this.#leader = reply.leaderId === 0 ? this.#random.pick(this.#world.nodeIds()) : reply.leaderId;
        break;
      case 'refused':
        break;
    }
    if (operation.attempts === attempt) this.#retry(operation);
  }

  #retry(operation: Operation): void {
    const mayRepeat = operation.isRepeatable || !operation.isInDoubt;
    if (!mayRepeat || (operation.attempts >= ATTEMPTS_MAX && !this.isStopping)) {
      this.#giveUp(operation);
      return;
    }
    operation.target = this.#leader;
    // The attempt that waits for its turn to be sent must not be repeated by its own timeout.
    operation.attempts += 1;
    const attempt = operation.attempts;
    const delay = 1 + this.#random.below(2 * TIME_PER_TICK);
    this.#world.schedule(delay, 'client', () => {
      if (this.#current === operation && operation.attempts === attempt) this.#send(operation);
    });
  }

  /** What is not in doubt did not happen. */
  #giveUp(operation: Operation): void {
    const { history, counters, count } = this.#world;
    const isUnknown = operation.isInDoubt && !operation.isRead;
    for (const record of operation.records) history.finish(record, isUnknown ? 'info' : 'fail');
    if (operation.counter !== null) counters.unanswered(operation.counter, isUnknown);
    count(isUnknown ? 'operation unknown' : 'operation failed');
    if (isUnknown) this.#incarnation += 1;
    // A client that starts over after a crash has a new session.
    if (isUnknown && this.#random.chance(0.3)) this.#session = this.#drawSession();
    this.#end();
  }

  #finishRead(operation: Operation, value: StoredValue | null): void {
    const record = operation.records[0];
    if (record === undefined || operation.request.type !== 'read')
      throw new Error('a value for what was no read');
    record.value = value?.value ?? null;
    this.#seen.set(operation.request.key, value);
    this.#world.history.finish(record, 'ok');
    this.#world.count('operation ok');
    this.#end();
  }

  #finishWrite(operation: Operation, result: CommandResult): void {
    const { history, counters, count } = this.#world;
    if (result.type === 'failed') {
      if (operation.counter === null && result.outcome !== 'unknown')
        throw new Error(`refused: ${result.message}`);
      operation.isInDoubt = true;
      this.#giveUp(operation);
      return;
    }
    if (operation.counter !== null && result.type === 'incr')
      counters.answered(operation.counter, result.value);
    const [record] = operation.records;
    if (result.type === 'cas' && record !== undefined) {
      this.#seen.set(record.key, result.current);
      if (!result.swapped) {
        record.f = 'read';
        record.value = result.current?.value ?? null;
      }
    }
    for (const finished of operation.records) history.finish(finished, 'ok');
    count('operation ok');
    this.#end();
  }

  #end(): void {
    this.#current = null;
    this.#think();
  }
}
