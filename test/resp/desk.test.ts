// The order of reads and writes on one connection, and what may be read when: a real core, keyspace and session; only
// the connection and the other two members are the test's.
import { expect, test } from 'vitest';
import { Keyspace } from '../../engine/kv/keyspace.ts';
import { ClientCounters } from '../../engine/node/client-counters.ts';
import { ClusterTime } from '../../engine/node/cluster-time.ts';
import { parseNodeConfig } from '../../engine/node/node-config.ts';
import { RespNode } from '../../engine/node/resp-node.ts';
import { bulks } from '../../engine/protocol/resp-encode.ts';
import type { Message } from '../../engine/raft/types.ts';
import type { ClientConnection } from '../../engine/transport/client-connection.ts';
import { ofType, SingleNode } from '../raft/single-node.ts';

function unused(): never {
  throw new Error('not asked for here');
}

/** Leader of term 1 of three, its first entry committed. */
function openLeader() {
  const single = new SingleNode({});
  const { raft } = single;
  const keyspace = new Keyspace();
  const member = { client: '127.0.0.1:1', peer: '127.0.0.1:2' };
  const config = parseNodeConfig({
    ...{ clusterId: 'test', nodeId: 1, dataDir: '/nowhere', client: { port: 0 }, peer: { port: 0 } },
    peers: [1, 2, 3].map((id) => ({ id, ...member })),
  });
  const resp = new RespNode({
    ...{ config, raft, keyspace, counters: new ClientCounters(), time: new ClusterTime({ raft, keyspace }) },
    ...{ status: unused, clientStatus: unused, act: unused, clientAddressOf: () => null },
    ...{ isDiskFull: () => false, wake: () => {} },
  });
  const { desk } = resp;
  const carryOut = (): Message[] => {
    const messages: Message[] = [];
    while (raft.hasReady()) {
      const ready = raft.ready();
      messages.push(...ready.messages, ...ready.messagesAfterSync);
      for (const entry of ready.committed) {
        if (entry.data.length === 0) continue;
        desk.beforeApply(entry.index, entry.term);
        desk.applied(keyspace.apply(entry.index, entry.term, entry.data));
      }
      desk.confirmReads(ready.reads);
      if (ready.softState !== null && ready.softState.role !== 'leader') desk.leadershipLost();
      raft.advance(ready);
    }
    return messages;
  };
  const turn = (): Message[] => {
    desk.submit();
    return carryOut();
  };
  const hear = (message: object): Message[] => {
    raft.step({ to: 1, from: 2, term: 1, ...message } as Message);
    return carryOut();
  };
  const acknowledge = (matchIndex: number): Message[] => {
    const rest = { success: true, prevLogIndex: 0, conflictIndex: 0, conflictTerm: 0 };
    return hear({ type: 'AppendEntriesResponse', matchIndex, ...rest });
  };
  const confirm = (readRound: number): Message[] => hear({ type: 'HeartbeatResponse', readRound });
  const client = () => {
    const replies: (string | undefined)[] = [];
    let slots = 0;
    const connection = {
      ...{ id: 1, remoteAddress: '', closed: false, replyEncoding: 'utf8', heldBytes: 0 },
      reserve: () => slots++,
      reply: (slot: number, reply: string) => {
        replies[slot] = reply;
      },
      holdInput: () => {},
      endInput: () => {},
    };
    const handler = resp.connect(connection as unknown as ClientConnection);
    const send = (...commands: string[][]): void =>
      handler.onBytes(Buffer.from(commands.map(bulks).join('')));
    return { send, replies };
  };
  raft.campaign();
  turn();
  for (const type of ['PreVoteResponse', 'RequestVoteResponse']) hear({ type, voteGranted: true });
  acknowledge(1);
  expect(raft.commitIndex).toBe(1);
  return { raft, client, turn, acknowledge, confirm, hear };
}

const OK = '+OK\r\n';
const [ONE, TWO] = ['$1\r\n1\r\n', '$1\r\n2\r\n'];
const NOTHING = '$-1\r\n';

function roundOf(messages: readonly Message[]): number {
  return ofType(messages, 'Heartbeat')[0]?.readRound ?? 0;
}

test('[R7] behind a write of its own turn, a read needs no round, and sees no later write of the turn', () => {
  const { client, turn, acknowledge } = openLeader();
  const { send, replies } = client();
  send(['SET', 'k', '1'], ['GET', 'k'], ['SET', 'k', '2'], ['GET', 'k']);
  expect(ofType(turn(), 'Heartbeat')).toEqual([]);
  expect(replies).toEqual([]);
  acknowledge(3);
  expect(replies).toEqual([OK, ONE, OK, TWO]);
});

test('[R7] behind a write that was proposed before it came, a read waits for the write and for its round', () => {
  const { client, turn, acknowledge, confirm } = openLeader();
  const { send, replies } = client();
  send(['SET', 'k', '1']);
  turn();
  send(['GET', 'k']);
  const round = roundOf(turn());
  expect(round).toBeGreaterThan(0);
  // This acknowledgement may have been under way since before another node was elected: it proves nothing.
  acknowledge(2);
  expect(replies).toEqual([OK]);
  confirm(round);
  expect(replies).toEqual([OK, ONE]);
});

test('[R7] the round alone is not enough: the write is seen', () => {
  const { client, turn, acknowledge, confirm } = openLeader();
  const { send, replies } = client();
  send(['SET', 'k', '1']);
  turn();
  send(['GET', 'k']);
  confirm(roundOf(turn()));
  expect(replies).toEqual([]);
  acknowledge(2);
  expect(replies).toEqual([OK, ONE]);
});

test('[R8] a write does not overtake the read before it, whose round is still under way', () => {
  const { client, turn, acknowledge, confirm } = openLeader();
  const { send, replies } = client();
  send(['GET', 'k'], ['SET', 'k', '1'], ['GET', 'k']);
  const round = roundOf(turn());
  acknowledge(2);
  expect(replies).toEqual([NOTHING, OK, ONE]);
  confirm(round);
  expect(replies).toEqual([NOTHING, OK, ONE]);
});

test('a later read of a connection never sees an older state than an earlier one', () => {
  const { client, turn, acknowledge, confirm } = openLeader();
  const [reader, writer] = [client(), client()];
  reader.send(['SET', 'own', '1']);
  turn();
  reader.send(['GET', 'k']);
  const first = roundOf(turn());
  writer.send(['SET', 'k', '2']);
  reader.send(['GET', 'k']);
  turn();
  confirm(first);
  acknowledge(2);
  acknowledge(3);
  expect(reader.replies).toEqual([OK, NOTHING, TWO]);
});

test('[R3] an entry of another leader where an own one was awaited answers nothing, and serves no read before it', () => {
  const { client, turn, hear, raft } = openLeader();
  const { send, replies } = client();
  send(['GET', 'k'], ['SET', 'k', '1']);
  turn();
  hear({
    ...{ type: 'AppendEntries', from: 3, term: 2, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 2 },
    entries: [{ index: 2, term: 2, kind: 2, data: new Uint8Array(0) }],
  });
  expect(raft.role).toBe('follower');
  expect(replies[0]).toMatch(/^-TRYAGAIN /);
  expect(replies[1]).toMatch(/^-TIMEOUT .*may have happened/);
});
