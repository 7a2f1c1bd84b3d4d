// The key commands of RESP, as operations of the state machine.

import type { Keyspace } from '../kv/keyspace.ts';
import type { ByteString, OperationResult } from '../protocol/command.ts';
import * as resp from '../protocol/resp-encode.ts';
import { RespGlob } from '../protocol/resp-glob.ts';
import {
  type CommandBody,
  NOT_INTEGER,
  type ReadCommand,
  SYNTAX_ERROR,
  unexpected,
  type WriteCommand,
} from './resp-command.ts';
import { changedReply, expireCommand, expiryCommand } from './resp-expiry.ts';
import { parseInt64 } from './resp-numbers.ts';
import { scanCommand } from './resp-scan.ts';
import type { RespSession } from './resp-session.ts';

type Argv = readonly ByteString[];

/** More keys than fit a reply. */
const EVERYTHING = 0xffff_ffff;

function countReply(result: OperationResult): ByteString {
  if (result.type === 'count') return resp.integer(result.count);
  return result.type === 'delete' ? resp.integer(result.existed ? 1 : 0) : unexpected(result);
}

const deletion: WriteCommand = {
  kind: 'write',
  operation: (argv) =>
    argv.length === 2
      ? { type: 'delete', key: argv[1] as string }
      : { type: 'deleteMany', keys: argv.slice(1) },
  reply: countReply,
};

const existence: ReadCommand = {
  kind: 'read',
  operation: (argv) => ({ type: 'exists', keys: argv.slice(1) }),
  reply: countReply,
};

function flush(name: string): WriteCommand {
  return {
    kind: 'write',
    operation(argv) {
      const mode = argv[1]?.toUpperCase();
      if (argv.length > 2) return resp.error(`ERR wrong number of arguments for '${name}' command`);
      return mode === undefined || mode === 'SYNC' || mode === 'ASYNC' ? { type: 'flush' } : SYNTAX_ERROR;
    },
    reply: () => resp.OK,
  };
}

function renameCommand(ifAbsent: boolean): WriteCommand {
  return {
    kind: 'write',
    operation: ([, from = '', to = '']) => ({ type: 'rename', from, to, ifAbsent }),
    reply: (result) => (ifAbsent || result.type !== 'changed' ? changedReply(result) : resp.OK),
  };
}

function copyOperation(argv: Argv): ReturnType<WriteCommand['operation']> {
  const [, from = '', to = ''] = argv;
  let replace = false;
  for (let at = 3; at < argv.length; at++) {
    const option = (argv[at] as string).toUpperCase();
    if (option === 'REPLACE') {
      replace = true;
    } else if (option === 'DB' && at + 1 < argv.length) {
      const database = parseInt64(argv[++at] as string);
      if (database === null) return NOT_INTEGER;
      if (database !== 0n) return resp.error('ERR DB index is out of range');
    } else {
      return SYNTAX_ERROR;
    }
  }
  return from === to
    ? resp.error('ERR source and destination objects are the same')
    : { type: 'copy', from, to, replace };
}

function keysReply(result: OperationResult, argv: Argv): ByteString {
  if (result.type !== 'keys') return unexpected(result);
  if (result.next !== null) {
    return resp.error('ERR too many keys for one reply: use SCAN, which gives them page by page');
  }
  const glob = new RespGlob(argv[1] as string);
  return resp.bulks(glob.isEverything ? result.keys : result.keys.filter((key) => glob.matches(key)));
}

/** All of them, however many pages they are. */
function serveKeys(keyspace: Keyspace, _session: RespSession, argv: Argv): ByteString {
  const glob = new RespGlob(argv[1] as string);
  const found: ByteString[] = [];
  let after: ByteString | null = null;
  do {
    const page = keyspace.keys({ prefix: glob.prefix, start: '', end: null, after, limit: EVERYTHING });
    for (const key of page.keys) if (glob.matches(key)) found.push(key);
    after = page.next;
  } while (after !== null);
  return resp.bulks(found);
}

/** As Redis would hold it: short text in one block, whole numbers as such. */
function encodingOf(value: ByteString): string {
  if (value.length <= 20 && parseInt64(value) !== null) return 'int';
  return value.length <= 44 ? 'embstr' : 'raw';
}

function objectReply(result: OperationResult, argv: Argv, version: resp.RespVersion): ByteString {
  if (result.type !== 'value') return unexpected(result);
  if (result.value === null) return resp.nullBulk(version);
  switch ((argv[1] as string).toLowerCase()) {
    case 'encoding':
      return resp.bulk(encodingOf(result.value.value));
    case 'refcount':
      return resp.integer(1);
    case 'idletime':
      return resp.integer(0);
    default:
      return resp.error(
        'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
      );
  }
}

export const KEY_COMMANDS: Readonly<Record<string, CommandBody>> = {
  del: deletion,
  unlink: deletion,
  exists: existence,
  touch: existence,
  type: {
    kind: 'read',
    operation: ([, key = '']) => ({ type: 'exists', keys: [key] }),
    reply: (result) =>
      result.type === 'count' ? resp.simple(result.count > 0 ? 'string' : 'none') : unexpected(result),
  },
  keys: {
    kind: 'read',
    operation: ([, pattern = '']) => {
      const { prefix } = new RespGlob(pattern);
      return { type: 'keys', range: { prefix, start: '', end: null, after: null, limit: EVERYTHING } };
    },
    reply: keysReply,
    serve: serveKeys,
  },
  scan: scanCommand,
  randomkey: {
    kind: 'read',
    operation: () => ({ type: 'randomKey', seed: Math.floor(Math.random() * 2 ** 32) }),
    reply(result, _argv, { version }) {
      if (result.type !== 'keys') return unexpected(result);
      return resp.bulkOrNull(result.keys[0] ?? null, version);
    },
  },
  rename: renameCommand(false),
  renamenx: renameCommand(true),
  copy: { kind: 'write', operation: copyOperation, reply: changedReply },
  dbsize: { kind: 'read', operation: () => ({ type: 'count' }), reply: countReply },
  flushdb: flush('flushdb'),
  flushall: flush('flushall'),
  expire: expireCommand('seconds', 'expire'),
  pexpire: expireCommand('milliseconds', 'pexpire'),
  expireat: expireCommand('secondsAt', 'expireat'),
  pexpireat: expireCommand('millisecondsAt', 'pexpireat'),
  ttl: expiryCommand('seconds'),
  pttl: expiryCommand('milliseconds'),
  expiretime: expiryCommand('secondsAt'),
  pexpiretime: expiryCommand('millisecondsAt'),
  persist: { kind: 'write', operation: ([, key = '']) => ({ type: 'persist', key }), reply: changedReply },
  object: {
    kind: 'read',
    operation: ([, , key = '']) => ({ type: 'get', key }),
    reply: (result, argv, { version }) => objectReply(result, argv, version),
  },
};
