// A keyspace and the index of its next entry.
import { NO_ADDRESS } from '../../engine/kv/byte-arena.ts';
import type { KeyRecord, KeyspaceState } from '../../engine/kv/key-record.ts';
import { Keyspace, type KeyspaceOptions } from '../../engine/kv/keyspace.ts';
import { dumpKeyspace, KeyspaceRestorer } from '../../engine/kv/keyspace-dump.ts';
import type { Command, CommandResult, Proposal, StoredValue } from '../../engine/protocol/command.ts';
import { encodeProposal } from '../../engine/protocol/command-codec.ts';

/** A block is good until the next one is taken. */
export function copied(block: Uint8Array): Uint8Array {
  return block.slice();
}

/** What a snapshot holds. */
export function bytesOf(keyspace: Keyspace, blockBytes?: number): Uint8Array {
  const view = keyspace.view();
  const bytes = Uint8Array.from(Buffer.concat(Array.from(dumpKeyspace(view, blockBytes), copied)));
  view.records.release();
  return bytes;
}

/** A copy for another keyspace. */
export function stateOf(keyspace: Keyspace): KeyspaceState {
  const restorer = new KeyspaceRestorer();
  restorer.push(bytesOf(keyspace));
  return restorer.finish();
}

/** Every record, also those whose end has come and that no entry has removed. */
export function recordsOf(keyspace: Keyspace): Map<string, KeyRecord> {
  const { records } = stateOf(keyspace);
  const all = new Map<string, KeyRecord>();
  for (let position = records.seek(''); ; position = records.next(position)) {
    const address = records.at(position);
    if (address === NO_ADDRESS) return all;
    all.set(records.keyAt(address), records.recordAt(address));
  }
}

export class Machine {
  readonly keyspace: Keyspace;
  index = 0;
  /** Of the next proposals; 0: without one. */
  time = 0;

  constructor(options: KeyspaceOptions = {}) {
    this.keyspace = new Keyspace(options);
  }

  apply(command: Command, session: Proposal['session'] = null): CommandResult {
    this.index++;
    return this.keyspace.apply(this.index, 1, encodeProposal({ command, session }, this.time).data);
  }

  at(time: number): this {
    this.time = time;
    return this;
  }

  set(name: string, value: string): CommandResult {
    return this.apply({ type: 'set', key: name, value, kind: 0 });
  }

  /** Until `ms` from now. */
  setFor(ms: number, name: string, value = 'v'): CommandResult {
    const rest = { when: 'always', expiry: { type: 'after', ms }, returnsPrevious: false } as const;
    return this.apply({ type: 'setWith', key: name, value, kind: 0, ...rest });
  }

  get(name: string): string | null {
    return this.keyspace.get(name)?.value ?? null;
  }

  stored(name: string): StoredValue | null {
    const record = this.keyspace.get(name);
    return record === null ? null : { value: record.value, kind: record.kind };
  }

  keys(): string[] {
    return this.keyspace.keys({ prefix: '', start: '', end: null, after: null, limit: 1_000_000 }).keys;
  }

  bytes(): Uint8Array {
    return bytesOf(this.keyspace);
  }

  dump(): string {
    return Buffer.from(this.bytes()).toString('hex');
  }

  /** Another node that got this one's snapshot. */
  copy(options: KeyspaceOptions = {}): Machine {
    const other = new Machine(options);
    other.keyspace.restore(stateOf(this.keyspace));
    other.index = this.index;
    other.time = this.time;
    return other;
  }
}
