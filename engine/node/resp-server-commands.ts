// Commands about the node: INFO, CONFIG, TIME and their like.
import type { ByteString } from '../protocol/command.ts';
import * as resp from '../protocol/resp-encode.ts';
import { splitAddress } from './node-config.ts';
import { type LocalCommand, NOT_INTEGER, SYNTAX_ERROR } from './resp-command.ts';
import { infoText } from './resp-info.ts';
import { parseWhole } from './resp-numbers.ts';
import type { RespSession } from './resp-session.ts';
import { family } from './resp-subcommands.ts';

function local(run: LocalCommand['run']): LocalCommand {
  return { kind: 'local', run };
}

const config = family('config', {
  get: (argv, { node, version }) =>
    resp.map(
      node.settings.get(argv.slice(2)).map(([name, value]) => [resp.bulk(name), resp.bulk(value)] as const),
      version,
    ),
  set(argv, { node }) {
    if (argv.length % 2 !== 0) return resp.error("ERR wrong number of arguments for 'config|set' command");
    const pairs: [ByteString, ByteString][] = [];
    for (let at = 2; at < argv.length; at += 2) pairs.push([argv[at] as string, argv[at + 1] as string]);
    const refusal = node.settings.set(pairs);
    return refusal === null ? resp.OK : resp.error(`ERR ${refusal}`);
  },
  resetstat(_argv, { node }) {
    node.statsResetAt = node.snapshotOfStats();
    return resp.OK;
  },
});

const slowLog = family('slowlog', {
  get(argv, { node }) {
    const count = argv.length > 2 ? parseWhole(argv[2] as string) : 10;
    if (count === null) return NOT_INTEGER;
    if (count < -1) return resp.error('ERR count should be greater than or equal to -1');
    return node.slowLog.reply(count);
  },
  len: (_argv, { node }) => resp.integer(node.slowLog.length),
  reset(_argv, { node }) {
    node.slowLog.clear();
    return resp.OK;
  },
});

/** The leader is a master with its followers and how far they are; a follower is a replica of it. */
function role({ node }: RespSession): ByteString {
  const { raft, keyspace } = node;
  const status = raft.status();
  if (status.role === 'leader') {
    const followers = status.progress.map(({ id, matchIndex }) => {
      const { host, port } = splitAddress(node.clientAddressOf(id) ?? ':0');
      return resp.bulks([host, String(port), String(matchIndex)]);
    });
    return resp.array([resp.bulk('master'), resp.integer(status.commitIndex), resp.array(followers)]);
  }
  const leader = status.leaderId === 0 ? null : node.clientAddressOf(status.leaderId);
  const { host, port } = splitAddress(leader ?? ':0');
  return resp.array([
    resp.bulk('slave'),
    resp.bulk(host),
    resp.integer(port),
    resp.bulk(leader === null ? 'connect' : 'connected'),
    resp.integer(keyspace.lastApplied),
  ]);
}

function time(): ByteString {
  const now = performance.timeOrigin + performance.now();
  const seconds = Math.floor(now / 1000);
  return resp.bulks([String(seconds), String(Math.floor((now - seconds * 1000) * 1000))]);
}

/** Blocks this connection, not the node: to stand in for a slow command in tests. */
function debug(argv: readonly ByteString[], session: RespSession): ByteString | null {
  if (!session.node.allowsDebug) {
    return resp.error(
      'ERR DEBUG command not allowed. It is for tests, which start a node with QUORUMLAB_DEBUG=1',
    );
  }
  const seconds = Number(argv[2]);
  if (argv[1]?.toLowerCase() !== 'sleep' || !(seconds >= 0) || argv.length !== 3) return SYNTAX_ERROR;
  const slot = session.reserve(0);
  session.pauseUntilReplied(slot);
  setTimeout(() => session.reply(slot, resp.OK), Math.min(seconds * 1000, 60_000));
  return null;
}

export const SERVER_COMMANDS: Readonly<Record<string, LocalCommand>> = {
  info: local((argv, session) =>
    resp.verbatim('txt', infoText(session.node, argv.slice(1)), session.version),
  ),
  config,
  slowlog: slowLog,
  time: local(time),
  wait: local((argv, session) => session.node.waits.run(argv, session)),
  role: local((_argv, session) => role(session)),
  debug: local(debug),
};
