// Arbitrary byte strings, proposals, entries and messages.
import fc from 'fast-check';
import type { Command, KeyValue, Proposal, StoredValue, ValueKind } from '../../engine/protocol/command.ts';
import { encodeProposal } from '../../engine/protocol/command-codec.ts';
import { type Configuration, type Entry, EntryKind, type Message } from '../../engine/raft/types.ts';
import { command as anyCommand } from '../kv/arbitrary-log.ts';

export const byteString = (maxLength = 40) =>
  fc.uint8Array({ maxLength }).map((bytes) => String.fromCharCode(...bytes));

/** Any well-formed text. (fast-check's own unit for that takes seconds to set up.) */
export const text = (maxLength = 40) =>
  fc.string({
    maxLength,
    unit: fc
      .oneof(
        fc.integer({ min: 0, max: 0x7f }),
        fc.constantFrom(0x80, 0x7ff, 0x800, 0x2028, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x1_0000, 0x10_ffff),
        fc.integer({ min: 0xe000, max: 0x10_ffff }),
      )
      .map((point) => String.fromCodePoint(point)),
  });

const kind = fc.constantFrom<ValueKind>(0, 1);
const stored: fc.Arbitrary<StoredValue> = fc.record({ value: byteString(200), kind });
const keyValue: fc.Arbitrary<KeyValue> = fc.record({ key: byteString(), value: byteString(200), kind });
export const decimal = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);

export const command: fc.Arbitrary<Command> = fc.oneof(
  keyValue.map((item): Command => ({ type: 'set', ...item })),
  byteString().map((key): Command => ({ type: 'delete', key })),
  fc.array(keyValue, { maxLength: 12 }).map((items): Command => ({ type: 'bulkSet', items })),
  fc.tuple(byteString(), decimal).map(([key, by]): Command => ({ type: 'incr', key, by })),
  fc
    .tuple(byteString(), fc.option(stored), stored)
    .map(([key, expected, next]): Command => ({ type: 'cas', key, expected, ...next })),
  anyCommand,
);

export const proposal: fc.Arbitrary<Proposal> = fc
  .record({
    command,
    session: fc.option(
      fc.record({
        client: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => String.fromCharCode(...bytes)),
        sequence: fc.maxSafeNat(),
      }),
    ),
    time: fc.option(fc.integer({ min: 1, max: 2 ** 48 - 1 })),
  })
  .map(({ time, ...rest }): Proposal => (time === null ? rest : { ...rest, time }));

const nodeId = fc.integer({ min: 1, max: 0xffff_ffff });
const u48 = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 48 - 1 }));
const header = fc.record({ from: nodeId, to: nodeId, term: u48 });
const flag = fc.boolean();
const ids = fc.uniqueArray(nodeId, { maxLength: 7 });

/** Entries as a leader of `term` has them after `prevLogIndex`; half of them proposed here, half without a frame. */
function entries(prevLogIndex: number, term: number): fc.Arbitrary<Entry[]> {
  const one = fc.oneof(
    proposal.map((value): Entry => encodeProposal(value)),
    fc
      .uint8Array({ maxLength: 100 })
      .map((data): Entry => ({ index: 0, term: 0, kind: EntryKind.command, data })),
    fc
      .constant(null)
      .map((): Entry => ({ index: 0, term: 0, kind: EntryKind.noop, data: new Uint8Array(0) })),
  );
  return fc.array(one, { maxLength: 12 }).map((list) =>
    list.map((entry, at) => {
      entry.index = prevLogIndex + 1 + at;
      entry.term = term;
      return entry;
    }),
  );
}

const appendEntries: fc.Arbitrary<Message> = fc
  .record({ ...numbers('leaderCommit'), prevLogIndex: fc.nat(), from: nodeId, to: nodeId, term: u48 })
  .chain((fields) =>
    entries(fields.prevLogIndex, fields.term).map(
      (list): Message => ({ type: 'AppendEntries', ...fields, prevLogTerm: fields.term, entries: list }),
    ),
  );

const installSnapshot: fc.Arbitrary<Message> = fc
  .record({
    ...numbers('lastIncludedIndex', 'lastIncludedTerm', 'offset', 'totalBytes'),
    configuration: fc.record({ voters: ids, votersOutgoing: ids, learners: ids }),
    data: fc.uint8Array({ maxLength: 400 }),
    done: flag,
    from: nodeId,
    to: nodeId,
    term: u48,
  })
  .map((fields): Message => ({ type: 'InstallSnapshot', ...fields }));

function numbers<Name extends string>(...names: Name[]): Record<Name, fc.Arbitrary<number>> {
  return Object.fromEntries(names.map((name) => [name, u48])) as Record<Name, fc.Arbitrary<number>>;
}

/** A message of nothing but its head, numbers and perhaps a flag. */
function plain(type: Message['type'], names: readonly string[], flagName?: string): fc.Arbitrary<Message> {
  const own = { ...numbers(...names), ...(flagName === undefined ? {} : { [flagName]: flag }) };
  return fc.tuple(header, fc.record(own)).map(([head, fields]) => ({ type, ...head, ...fields }) as Message);
}

const risingIds = ids.map((list) => list.sort((a, b) => a - b));
const address = fc.stringMatching(/^[a-z0-9.]{0,20}:[0-9]{1,5}$/);
const configuration: fc.Arbitrary<Configuration> = fc
  .record({
    voters: risingIds,
    votersOutgoing: risingIds,
    learners: risingIds,
    places: fc.array(fc.record({ client: address, peer: address }), { maxLength: 4 }),
    former: risingIds,
  })
  .map(({ places, former, ...lists }) => ({
    ...lists,
    ...(places.length > 0 && { addresses: places.map((place, at) => ({ id: at + 1, ...place })) }),
    ...(former.length > 0 && { former }),
  }));

/** To and from a member without memory. */
const rejoining: fc.Arbitrary<Message> = fc.oneof(
  plain('PreVote', ['lastLogIndex', 'lastLogTerm']).map(
    (asked): Message => ({ ...asked, hasLostMemory: true }) as Message,
  ),
  fc
    .tuple(plain('PreVoteResponse', [], 'voteGranted'), u48, configuration)
    .map(([answer, index, told]) => ({ ...answer, committed: { index, configuration: told } }) as Message),
);

export const message: fc.Arbitrary<Message> = fc.oneof(
  plain('PreVote', ['lastLogIndex', 'lastLogTerm']),
  plain('PreVoteResponse', [], 'voteGranted'),
  rejoining,
  plain('RequestVote', ['lastLogIndex', 'lastLogTerm'], 'leadershipTransfer'),
  plain('RequestVoteResponse', [], 'voteGranted'),
  plain('AppendEntriesResponse', ['matchIndex', 'prevLogIndex', 'conflictIndex', 'conflictTerm'], 'success'),
  plain('Heartbeat', ['leaderCommit', 'readRound']),
  plain('HeartbeatResponse', ['readRound']),
  plain('InstallSnapshotResponse', ['lastIncludedIndex', 'offset'], 'installed'),
  plain('TimeoutNow', []),
  plain('ReadIndex', ['requestId']),
  plain('ReadIndexResponse', ['requestId', 'readIndex']),
  appendEntries,
  installSnapshot,
);

/** What the decoders must survive: valid bytes with a bit flipped, a piece cut out, doubled or appended. */
export function damaged(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      valid,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom('flip', 'cut', 'double', 'add'),
    )
    .map(([bytes, first, second, byte, how]) => {
      const from = bytes.length === 0 ? 0 : first % bytes.length;
      const to = Math.min(bytes.length, from + (second % 16));
      const copy = [...bytes];
      if (how === 'flip' && copy.length > 0) copy[from] = (copy[from] as number) ^ (1 << (byte % 8));
      if (how === 'cut') copy.splice(from, to - from + 1);
      if (how === 'double') copy.splice(from, 0, ...copy.slice(from, to + 1));
      if (how === 'add') copy.splice(from, 0, byte);
      return Uint8Array.from(copy);
    });
}
