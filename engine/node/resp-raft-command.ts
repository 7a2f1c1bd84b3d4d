// RAFT: the cluster's own command. STATUS, TRANSFER and SNAPSHOT are for people; `forwarded`, `guard` and
// `revisions` are what nodes say to each other when they pass clients' commands on.
import type { ByteString } from '../protocol/command.ts';
import * as resp from '../protocol/resp-encode.ts';
import type { LocalCommand } from './resp-command.ts';
import { parseWhole } from './resp-numbers.ts';
import type { RespSession } from './resp-session.ts';
import { family, type Subcommand } from './resp-subcommands.ts';

type Argv = readonly ByteString[];

function status({ node, version }: RespSession): ByteString {
  const { raft, nodeId, clusterId, links } = node.status();
  const number = (name: string, value: number): readonly [ByteString, ByteString] => [
    resp.bulk(name),
    resp.integer(value),
  ];
  const text = (name: string, value: string): readonly [ByteString, ByteString] => [
    resp.bulk(name),
    resp.bulk(value),
  ];
  const members = [...raft.configuration.voters, ...raft.configuration.learners].map((id) => {
    const follower = raft.progress.find((progress) => progress.id === id);
    return resp.map(
      [
        number('id', id),
        text('client', node.clientAddressOf(id) ?? ''),
        text(
          'connected',
          id === nodeId || links.some((link) => link.peer === id && link.connected) ? 'yes' : 'no',
        ),
        number('matchIndex', id === nodeId ? raft.lastIndex : (follower?.matchIndex ?? 0)),
      ],
      version,
    );
  });
  return resp.map(
    [
      number('node_id', nodeId),
      text('cluster_id', clusterId),
      text('role', raft.role),
      number('currentTerm', raft.currentTerm),
      number('leader_id', raft.leaderId),
      text('leader', node.clientAddressOf(raft.leaderId) ?? ''),
      number('commitIndex', raft.commitIndex),
      number('lastApplied', raft.lastApplied),
      number('lastIndex', raft.lastIndex),
      [resp.bulk('members'), resp.array(members)],
    ],
    version,
  );
}

/** Replies when the node has done it, or says why not. */
function act(session: RespSession, action: Parameters<RespSession['node']['act']>[0]): null {
  const slot = session.reserve(0);
  session.pauseUntilReplied(slot);
  session.node.act(action).then(
    () => session.reply(slot, resp.OK),
    (reason: unknown) =>
      session.reply(slot, resp.error(`ERR ${reason instanceof Error ? reason.message : reason}`)),
  );
  return null;
}

const transfer: Subcommand = (argv, session) => {
  const target = argv[2] === undefined ? 0 : parseWhole(argv[2]);
  if (target === null || argv.length > 3) return resp.error('ERR the id of a node is a whole number');
  return act(session, target === 0 ? { kind: 'stepDown' } : { kind: 'stepDown', target });
};

const FORWARD_ONLY: Readonly<Record<string, Subcommand>> = {
  forwarded(_argv, session) {
    session.isForwarded = true;
    return resp.OK;
  },
  guard(argv, session) {
    session.watched = new Map();
    for (let at = 2; at + 1 < argv.length; at += 2)
      session.watched.set(argv[at] as string, Number(argv[at + 1]));
    return resp.OK;
  },
  revisions(argv, session) {
    const { node } = session;
    if (!node.leads) return `-CLUSTERDOWN no leader; term ${node.raft.currentTerm}\r\n`;
    const keys = argv.slice(2);
    node.desk.read(
      session,
      (keyspace) => resp.array(keys.map((key) => resp.integer(keyspace.get(key)?.revision ?? 0))),
      argv,
      0,
    );
    return null;
  },
};

const forPeople = family('raft', {
  snapshot: (_argv, session) => act(session, { kind: 'snapshot' }),
  status: (_argv, session) => status(session),
  transfer,
});

export const RAFT_COMMAND: Readonly<Record<string, LocalCommand>> = {
  raft: {
    kind: 'local',
    run(argv: Argv, session) {
      const among = FORWARD_ONLY[argv[1] as string];
      return among === undefined ? forPeople.run(argv, session) : among(argv, session);
    },
  },
};
