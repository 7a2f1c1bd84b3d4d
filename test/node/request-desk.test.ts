// Requests through a real core and a real keyspace; only the connections are the test's.
import { describe, expect, test } from 'vitest';
import { Keyspace } from '../../engine/kv/keyspace.ts';
import { ClientCounters } from '../../engine/node/client-counters.ts';
import { RequestDesk } from '../../engine/node/request-desk.ts';
import { parseRequest } from '../../engine/protocol/json-request.ts';
import type { Message } from '../../engine/raft/types.ts';
import { ofType, SingleNode, type SingleStart } from '../raft/single-node.ts';

const TIMEOUT_MS = 5000;
const HISTORY_BYTES = 10_000;

interface Answer {
  id: number;
  status: string;
  code?: string;
  outcome?: string;
  [field: string]: unknown;
}

function open(start: SingleStart = {}) {
  const single = new SingleNode(start);
  const { raft } = single;
  let slot = 0;
  const replies: Answer[] = [];
  const forwarded: string[] = [];
  const disk = { full: false };
  const connection = {
    closed: false,
    heldBytes: 0,
    reserve: () => slot++,
    reply: (_slot: number, line: string) => void replies.push(JSON.parse(line) as Answer),
  };
  const keyspace = new Keyspace({ historyBytesMax: HISTORY_BYTES });
  const desk = new RequestDesk({
    raft,
    keyspace,
    counters: new ClientCounters(),
    requestTimeoutMs: TIMEOUT_MS,
    clientAddressOf: (id) => `127.0.0.1:${7100 + id}`,
    isDiskFull: () => disk.full,
    statusReply: (id) => `{"id":${id},"status":"ok"}\n`,
    forward: (_to, line, leader) => void forwarded.push(`${leader} ${line}`),
    wake: () => {},
  });
  const ask = (request: object, arrivedAt = 0): void => {
    const line = JSON.stringify(request);
    const parsed = parseRequest(line);
    if (parsed.type === 'refused') throw new Error(parsed.reply);
    if (parsed.type === 'auth') throw new Error('not for the desk');
    if (parsed.type === 'memberList' || parsed.type === 'memberChange') throw new Error('not for this desk');
    desk.take(parsed, { id: parsed.id, slot: slot++, connection }, { line, arrivedAt });
  };
  const carryOut = (now = 0): Message[] => {
    const messages: Message[] = [];
    while (raft.hasReady()) {
      const ready = raft.ready();
      messages.push(...ready.messages, ...ready.messagesAfterSync);
      desk.apply(ready.committed, now);
      desk.confirmReads(ready.reads);
      if (ready.softState !== null && ready.softState.role !== 'leader') desk.leadershipLost();
      raft.advance(ready);
    }
    return messages;
  };
  /** As the drive loop does it, with a disk that is never waited for. */
  const turn = (now = 0): Message[] => {
    desk.submit();
    return carryOut(now);
  };
  const hear = (message: DistributiveOmitTo): Message[] => {
    raft.step({ to: 1, ...message } as Message);
    return carryOut();
  };
  return {
    single,
    raft,
    desk,
    keyspace,
    connection,
    disk,
    forwarded,
    ask,
    turn,
    hear,
    said: () => replies.splice(0),
  };
}

type DistributiveOmitTo = Message extends infer M ? (M extends Message ? Omit<M, 'to'> : never) : never;

/** Leader of term 1 of three, its first entry committed. */
function openLeader() {
  const opened = open();
  opened.raft.campaign();
  opened.turn();
  for (const type of ['PreVoteResponse', 'RequestVoteResponse'] as const) {
    opened.hear({ type, from: 2, term: 1, voteGranted: true });
  }
  acknowledge(opened, 1);
  expect(opened.raft.commitIndex).toBe(1);
  return opened;
}

function acknowledge(opened: ReturnType<typeof open>, matchIndex: number): void {
  const rest = { success: true, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 };
  opened.hear({ type: 'AppendEntriesResponse', from: 2, term: 1, matchIndex, ...rest });
}

const set = (id: number, key: string, value: string) => ({ id, command: 'set', key, value });

describe('writes', () => {
  test('of one turn are one proposal, and answered when they are applied, in order', () => {
    const opened = openLeader();
    for (let id = 1; id <= 3; id++) opened.ask(set(id, `k${id}`, 'v'));
    const [append] = ofType(opened.turn(), 'AppendEntries');
    expect(append?.entries).toHaveLength(3);
    expect(opened.said()).toEqual([]);
    acknowledge(opened, 4);
    expect(opened.said()).toMatchObject(
      [1, 2, 3].map((id) => ({ id, status: 'ok', index: id + 1, term: 1 })),
    );
  });

  test('whose leader is deposed are unknown, each answered once', () => {
    const opened = openLeader();
    opened.ask(set(1, 'a', '1'));
    opened.turn();
    opened.hear({ type: 'HeartbeatResponse', from: 3, term: 7, readRound: 0 });
    expect(opened.said()).toMatchObject([{ id: 1, status: 'error', code: 'TIMEOUT', outcome: 'unknown' }]);
    opened.desk.expire(TIMEOUT_MS * 2);
    opened.desk.leadershipLost();
    expect(opened.said()).toEqual([]);
  });

  test('that were not proposed yet are sent elsewhere: they have not happened', () => {
    const opened = openLeader();
    opened.ask(set(1, 'a', '1'));
    opened.raft.step({ type: 'Heartbeat', from: 3, to: 1, term: 7, leaderCommit: 0, readRound: 0 });
    opened.turn();
    expect(opened.said()).toMatchObject([
      { id: 1, status: 'redirect', leader_id: 3, leader: '127.0.0.1:7103' },
    ]);
    expect(opened.raft.status().lastIndex).toBe(1);
  });

  test('that no majority takes in time are unknown, and one that comes later is still found', () => {
    const opened = openLeader();
    opened.ask(set(1, 'a', '1'), 0);
    opened.turn();
    opened.ask(set(2, 'b', '2'), 1000);
    opened.turn();
    opened.desk.expire(TIMEOUT_MS + 500);
    expect(opened.said()).toMatchObject([{ id: 1, code: 'TIMEOUT', outcome: 'unknown' }]);
    acknowledge(opened, 3);
    expect(opened.said()).toMatchObject([{ id: 2, status: 'ok', index: 3 }]);
  });

  test('are refused by name on a full disk and while leadership is handed over', () => {
    const opened = openLeader();
    opened.disk.full = true;
    opened.ask(set(1, 'a', '1'));
    opened.turn();
    expect(opened.said()).toMatchObject([{ id: 1, code: 'NO_SPACE' }]);
    opened.disk.full = false;
    opened.raft.transferLeadership(3);
    opened.ask(set(2, 'a', '1'));
    opened.turn();
    expect(opened.said()).toMatchObject([{ id: 2, code: 'UNAVAILABLE' }]);
  });
});

describe('reads', () => {
  test('of one turn share one round, and see what was written before', () => {
    const opened = openLeader();
    opened.ask(set(1, 'a', 'new'));
    opened.turn();
    acknowledge(opened, 2);
    opened.said();
    opened.ask({ id: 2, command: 'get', key: 'a' });
    opened.ask({ id: 3, command: 'scan', prefix: '' });
    const beats = ofType(opened.turn(), 'Heartbeat');
    expect(beats.map(({ to }) => to)).toEqual([2, 3]);
    expect(opened.said()).toEqual([]);
    opened.hear({ type: 'HeartbeatResponse', from: 3, term: 1, readRound: beats[0]?.readRound ?? 0 });
    expect(opened.said()).toMatchObject([
      { id: 2, status: 'ok', value: 'new' },
      { id: 3, status: 'ok' },
    ]);
  });

  test('whose leader is deposed before the round ends are sent elsewhere', () => {
    const opened = openLeader();
    opened.ask({ id: 1, command: 'get', key: 'a' });
    opened.turn();
    opened.hear({ type: 'Heartbeat', from: 3, term: 7, leaderCommit: 0, readRound: 0 });
    expect(opened.said()).toMatchObject([{ id: 1, status: 'redirect', leader_id: 3 }]);
  });

  test('that no majority confirms are refused in time, and forgotten', () => {
    const opened = openLeader();
    opened.ask({ id: 1, command: 'get', key: 'a' }, 0);
    const [beat] = ofType(opened.turn(), 'Heartbeat');
    opened.desk.expire(TIMEOUT_MS + 1);
    expect(opened.said()).toMatchObject([{ id: 1, code: 'UNAVAILABLE' }]);
    opened.hear({ type: 'HeartbeatResponse', from: 3, term: 1, readRound: beat?.readRound ?? 0 });
    expect(opened.said()).toEqual([]);
  });

  test('on a follower wait until it has applied what the leader vouched for', () => {
    const opened = open();
    opened.hear({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    opened.ask({ id: 1, command: 'get', key: 'a', forward: true });
    const [asked] = ofType(opened.turn(), 'ReadIndex');
    expect(asked).toMatchObject({ to: 2 });
    opened.hear({
      type: 'ReadIndexResponse',
      from: 2,
      term: 1,
      requestId: asked?.requestId ?? 0,
      readIndex: 1,
    });
    expect(opened.said()).toEqual([]);
    const noop = { index: 1, term: 1, kind: 2 as const, data: new Uint8Array(0) };
    const sent = { prevLogIndex: 0, prevLogTerm: 0, entries: [noop], leaderCommit: 1 };
    opened.hear({ type: 'AppendEntries', from: 2, term: 1, ...sent });
    expect(opened.said()).toMatchObject([{ id: 1, status: 'ok', value: null }]);
  });

  test('[S8] on a follower are served when a snapshot brings the state there', () => {
    const opened = open();
    opened.hear({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    opened.ask({ id: 1, command: 'get', key: 'a', forward: true });
    const [asked] = ofType(opened.turn(), 'ReadIndex');
    opened.hear({
      type: 'ReadIndexResponse',
      from: 2,
      term: 1,
      requestId: asked?.requestId ?? 0,
      readIndex: 9,
    });
    expect(opened.said()).toEqual([]);
    opened.raft.installSnapshot({ index: 9, term: 1, configuration: opened.raft.configuration });
    opened.turn();
    expect(opened.said()).toMatchObject([{ id: 1, status: 'ok' }]);
  });

  test('that may be stale are served at once, anywhere', () => {
    const opened = open();
    opened.ask({ id: 1, command: 'get', key: 'a', consistency: 'stale' });
    expect(opened.said()).toMatchObject([{ id: 1, status: 'ok', value: null }]);
  });
});

describe('on a follower', () => {
  test('requests are passed on only to a leader that is known, and only when asked for', () => {
    const opened = open();
    opened.ask({ ...set(1, 'a', '1'), forward: true });
    expect(opened.said()).toMatchObject([{ id: 1, status: 'redirect', leader_id: null }]);
    opened.hear({ type: 'Heartbeat', from: 2, term: 1, leaderCommit: 0, readRound: 0 });
    opened.ask({ ...set(2, 'a', '1'), forward: true });
    opened.ask(set(3, 'a', '1'));
    expect(opened.forwarded).toHaveLength(1);
    expect(opened.forwarded[0]).toContain('127.0.0.1:7102 {"id":2');
    expect(opened.said()).toMatchObject([{ id: 3, status: 'redirect', leader_id: 2 }]);
  });
});
