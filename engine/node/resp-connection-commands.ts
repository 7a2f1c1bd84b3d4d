// Commands about the connection itself: PING to CLIENT.
import type { ByteString } from '../protocol/command.ts';
import * as resp from '../protocol/resp-encode.ts';
import { samePassword } from './client-auth.ts';
import { type LocalCommand, NOT_INTEGER, SYNTAX_ERROR } from './resp-command.ts';
import { parseInt64, parseWhole } from './resp-numbers.ts';
import type { RespSession } from './resp-session.ts';
import { REDIS_VERSION } from './resp-settings.ts';
import { family, type Subcommand } from './resp-subcommands.ts';

type Argv = readonly ByteString[];

const WRONG_PASSWORD = resp.error('WRONGPASS invalid username-password pair or user is disabled.');
const NO_PASSWORD = resp.error(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
);
const HELLO_NO_AUTH = resp.error(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
);
/** What stands in CLIENT LIST must not look like a field of it. */
const PRINTABLE = /^[!-~]*$/;

function authenticate(session: RespSession, user: ByteString, password: ByteString): ByteString | null {
  const wanted = session.node.password;
  if (user !== 'default') return WRONG_PASSWORD;
  if (wanted !== null && !samePassword(password, wanted)) return WRONG_PASSWORD;
  session.authenticate();
  return null;
}

function auth(argv: Argv, session: RespSession): ByteString {
  if (argv.length > 3) return SYNTAX_ERROR;
  if (argv.length === 2 && session.node.password === null) return NO_PASSWORD;
  const [user, password] = argv.length === 2 ? ['default', argv[1]] : [argv[1], argv[2]];
  return authenticate(session, user as string, password as string) ?? resp.OK;
}

function hello(argv: Argv, session: RespSession): ByteString {
  let version: resp.RespVersion = session.version;
  if (argv.length > 1) {
    const wanted = parseInt64(argv[1] as string);
    if (wanted === null) return resp.error('ERR Protocol version is not an integer or out of range');
    if (wanted !== 2n && wanted !== 3n) return resp.error('NOPROTO unsupported protocol version');
    version = wanted === 3n ? 3 : 2;
  }
  let name: ByteString | null = null;
  for (let at = 2; at < argv.length; ) {
    const option = (argv[at] as string).toUpperCase();
    if (option === 'AUTH' && at + 2 < argv.length) {
      const refusal = authenticate(session, argv[at + 1] as string, argv[at + 2] as string);
      if (refusal !== null) return refusal;
      at += 3;
    } else if (option === 'SETNAME' && at + 1 < argv.length) {
      name = argv[at + 1] as string;
      if (!PRINTABLE.test(name)) return badName('Client names');
      at += 2;
    } else {
      return resp.error(`ERR Syntax error in HELLO option '${argv[at]}'`);
    }
  }
  if (!session.authenticated) return HELLO_NO_AUTH;
  session.version = version;
  if (name !== null) session.name = name;
  return resp.map(
    [
      [resp.bulk('server'), resp.bulk('redis')],
      [resp.bulk('version'), resp.bulk(REDIS_VERSION)],
      [resp.bulk('proto'), resp.integer(version)],
      [resp.bulk('id'), resp.integer(session.connection.id)],
      [resp.bulk('mode'), resp.bulk('standalone')],
      [resp.bulk('role'), resp.bulk(session.node.leads ? 'master' : 'replica')],
      [resp.bulk('modules'), resp.EMPTY_ARRAY],
    ],
    version,
  );
}

function badName(what: string): ByteString {
  return resp.error(`ERR ${what} cannot contain spaces, newlines or special characters.`);
}

function setInfo(argv: Argv, session: RespSession): ByteString {
  const attribute = (argv[2] as string).toLowerCase();
  const value = argv[3] as string;
  if (attribute !== 'lib-name' && attribute !== 'lib-ver') {
    return resp.error(`ERR Unrecognized option '${argv[2]}'`);
  }
  if (!PRINTABLE.test(value)) return badName(attribute);
  if (attribute === 'lib-name') session.libraryName = value;
  else session.libraryVersion = value;
  return resp.OK;
}

/** One line of CLIENT LIST: those of Redis's fields that mean something here. */
function describe(session: RespSession): string {
  const { connection, node } = session;
  const now = node.now();
  const seconds = (since: number): number => Math.floor((now - since) / 1000);
  const fields = {
    id: connection.id,
    addr: connection.remoteAddress,
    laddr: node.clientAddressOf(node.config.nodeId) ?? '',
    name: session.name,
    age: seconds(session.connectedAt),
    idle: seconds(session.lastCommandAt),
    flags: session.transaction !== null ? 'x' : session.readsLocally ? 'r' : 'N',
    db: 0,
    sub: 0,
    psub: 0,
    multi: session.transaction?.queued.length ?? -1,
    watch: session.watched?.size ?? 0,
    qbuf: session.handler.bufferedBytes,
    'tot-mem': connection.heldBytes,
    events: 'r',
    cmd: session.lastCommand,
    user: 'default',
    'lib-name': session.libraryName,
    'lib-ver': session.libraryVersion,
    resp: session.version,
  };
  return Object.entries(fields)
    .map(([field, value]) => `${field}=${value}`)
    .join(' ');
}

function list(argv: Argv, session: RespSession): ByteString {
  let sessions = [...session.node.sessions.values()];
  const option = argv[2]?.toUpperCase();
  if (option === 'TYPE' && argv.length === 4) {
    const type = (argv[3] as string).toLowerCase();
    if (!['normal', 'master', 'replica', 'slave', 'pubsub'].includes(type)) {
      return resp.error(`ERR Unknown client type '${argv[3]}'`);
    }
    if (type !== 'normal') sessions = [];
  } else if (option === 'ID' && argv.length > 3) {
    const ids = argv.slice(3).map(parseWhole);
    if (ids.some((id) => id === null || id < 1)) return resp.error('ERR Invalid client ID');
    sessions = sessions.filter(({ connection }) => ids.includes(connection.id));
  } else if (option !== undefined) {
    return SYNTAX_ERROR;
  }
  return resp.verbatim('txt', sessions.map((one) => `${describe(one)}\n`).join(''), session.version);
}

const setReplies: Subcommand = (argv, session) => {
  const mode = (argv[2] as string).toLowerCase();
  if (mode === 'on') {
    session.replies = 'on';
    return resp.OK;
  }
  if (mode !== 'off' && mode !== 'skip') return SYNTAX_ERROR;
  if (mode === 'off') session.replies = 'off';
  else if (session.replies === 'on') session.replies = 'skip';
  return null;
};

const client = family('client', {
  id: (_argv, { connection }) => resp.integer(connection.id),
  getname: (_argv, { name, version }) => resp.bulkOrNull(name === '' ? null : name, version),
  info: (_argv, session) => resp.verbatim('txt', `${describe(session)}\n`, session.version),
  list,
  'no-evict': (argv) => (/^o(n|ff)$/i.test(argv[2] as string) ? resp.OK : SYNTAX_ERROR),
  reply: setReplies,
  setinfo: setInfo,
  setname(argv, session) {
    const name = argv[2] as string;
    if (!PRINTABLE.test(name)) return badName('Client names');
    session.name = name;
    return resp.OK;
  },
});

function local(run: LocalCommand['run'], runsInMulti = false): LocalCommand {
  return { kind: 'local', run, runsInMulti };
}

export const CONNECTION_COMMANDS: Readonly<Record<string, LocalCommand>> = {
  ping: local(([, message, extra]) => {
    if (extra !== undefined) return resp.error("ERR wrong number of arguments for 'ping' command");
    return message === undefined ? resp.PONG : resp.bulk(message);
  }),
  echo: local(([, message = '']) => resp.bulk(message)),
  hello: local(hello),
  auth: local(auth),
  select: local(([, database = '']) => {
    const index = parseInt64(database);
    if (index === null) return NOT_INTEGER;
    return index === 0n ? resp.OK : resp.error('ERR DB index is out of range');
  }),
  quit: local((_argv, session) => {
    session.answer(resp.OK);
    session.end();
    return null;
  }, true),
  reset: local((_argv, session) => {
    session.reset();
    return resp.simple('RESET');
  }, true),
  readonly: local((_argv, session) => {
    session.readsLocally = true;
    return resp.OK;
  }),
  readwrite: local((_argv, session) => {
    session.readsLocally = false;
    return resp.OK;
  }),
  client,
};
