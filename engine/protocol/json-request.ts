// Parses one line of the JSON line protocol into a request, or into the error reply to send.
// Unknown members are ignored; known members with senseless values are refused by name.
import { clientIdFromUuid } from './client-id.ts';
import type { ByteString, ClientSequence, Command } from './command.ts';
import { PROPOSAL_BYTES_MAX, proposalBytes } from './command-codec.ts';
import {
  type Body,
  boundedKey,
  Context,
  invalid,
  keyOf,
  Refusal,
  stringBytes,
  tooLarge,
} from './json-body.ts';
import {
  type Consistency,
  DEFAULT_JSON_LIMITS,
  type ErrorCode,
  type JsonLimits,
  type KeyRange,
  type ParsedRequest,
  type RefusedRequest,
  type RequestId,
  SCAN_ITEMS_DEFAULT,
  type WatchRequest,
  type WriteRequest,
} from './json-line.ts';
import { memberRequestOf } from './json-members.ts';
import { writeOf } from './json-operation.ts';
import { errorReply } from './json-reply.ts';
import { decodeCursor } from './scan-cursor.ts';

function sessionOf(body: Body): ClientSequence | null {
  const { client, seq } = body;
  if (client === undefined && seq === undefined) return null;
  if (typeof client !== 'string') invalid('"seq" needs a "client", a UUID');
  const id = clientIdFromUuid(client) ?? invalid('"client" must be a UUID');
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) {
    invalid('"client" needs a "seq", a whole number from 0 to 2^53 - 1');
  }
  return { client: id, sequence: seq };
}

/** It comes back with every event. */
const WATCH_ID_CHARACTERS_MAX = 64;
/** How many bytes these take, their lines do not bound. */
const MANY_PARTS: ReadonlySet<Command['type']> = new Set(['bulkSet', 'bulkSetWith', 'txn']);

function writeRequest(id: RequestId, body: Body, command: Command): WriteRequest {
  const proposal = { command, session: sessionOf(body) };
  if (MANY_PARTS.has(command.type) && proposalBytes(proposal) > PROPOSAL_BYTES_MAX) {
    // No setting: a line would have to shrink less than this when parsed, which none does by default.
    throw new Refusal(
      'TOO_LARGE',
      `a write is over the limit of ${PROPOSAL_BYTES_MAX} bytes of one log entry`,
    );
  }
  return { type: 'write', id, forward: forwardOf(body), proposal };
}

function forwardOf(body: Body): boolean {
  const { forward } = body;
  if (forward === undefined) return false;
  return typeof forward === 'boolean' ? forward : invalid('"forward" must be true or false');
}

function consistencyOf(body: Body): Consistency {
  const { consistency } = body;
  if (consistency === undefined) return 'linearizable';
  if (consistency === 'linearizable' || consistency === 'stale') return consistency;
  return invalid('"consistency" must be "linearizable" or "stale"');
}

function rangeOf(body: Body, limits: JsonLimits): KeyRange {
  const bound = (name: 'prefix' | 'start' | 'end') =>
    // An explicit null is as good as leaving it out: so clients can fill in a form.
    body[name] === undefined || body[name] === null
      ? null
      : boundedKey(stringBytes(body[name], body.key_encoding, name), limits);
  const limit = body.limit ?? Math.min(SCAN_ITEMS_DEFAULT, limits.scanItemsMax);
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 1) {
    invalid('"limit" must be a whole number from 1 up');
  }
  if (limit > limits.scanItemsMax) {
    tooLarge('a scan', `${limit} items`, limits.scanItemsMax, 'scanItemsMax');
  }
  const cursor = body.cursor ?? null;
  let after: ByteString | null = null;
  if (cursor !== null) {
    if (typeof cursor !== 'string') invalid('"cursor" must be a string');
    after = decodeCursor(cursor) ?? invalid('"cursor" is not one that a scan returned');
  }
  return { prefix: bound('prefix') ?? '', start: bound('start') ?? '', end: bound('end'), after, limit };
}

function watchIdOf(body: Body): string | number | null {
  const { watch } = body;
  if (watch === undefined) return null;
  if (typeof watch === 'string' && watch.length <= WATCH_ID_CHARACTERS_MAX) return watch;
  if (typeof watch === 'number' && Number.isSafeInteger(watch)) return watch;
  return invalid(
    `"watch" must be a whole number, or a string of at most ${WATCH_ID_CHARACTERS_MAX} characters`,
  );
}

function watchOf(id: RequestId, body: Body, { limits }: Context): WatchRequest {
  const { prefix = '', key, from_revision: from = null } = body;
  if (key !== undefined && body.prefix !== undefined) invalid('of "key" and "prefix" only one makes sense');
  if (from !== null && (typeof from !== 'number' || !Number.isSafeInteger(from) || from < 0)) {
    invalid('"from_revision" must be a whole number');
  }
  const name = key === undefined ? 'prefix' : 'key';
  const bytes = boundedKey(stringBytes(key ?? prefix, body.key_encoding, name), limits);
  return {
    type: 'watch',
    id,
    watch: watchIdOf(body),
    bytes,
    isPrefix: name === 'prefix',
    fromRevision: from,
  };
}

function requestOf(id: RequestId, name: unknown, body: Body, context: Context): ParsedRequest {
  const write = writeOf(name, body, context);
  if (write !== null) return writeRequest(id, body, write);
  switch (name) {
    case 'get':
    case 'ttl': {
      const key = keyOf(body, context);
      return { type: name, id, forward: forwardOf(body), key, consistency: consistencyOf(body) };
    }
    case 'watch':
      return watchOf(id, body, context);
    case 'unwatch':
      return { type: 'unwatch', id, watch: watchIdOf(body) ?? invalid('"watch" is missing') };
    case 'auth':
      if (typeof body.password !== 'string') invalid('"password" must be a string');
      return { type: 'auth', id, password: body.password };
    case 'scan': {
      const range = rangeOf(body, context.limits);
      return { type: 'scan', id, forward: forwardOf(body), range, consistency: consistencyOf(body) };
    }
    case 'status':
      return { type: 'status', id };
    case 'ping':
      return { type: 'ping', id };
    case undefined:
      return invalid('"command" is missing');
    default:
      if (typeof name !== 'string') invalid('"command" must be a string');
      return memberRequestOf({ id, forward: forwardOf(body) }, name, body, invalid) ?? unknownCommand(name);
  }
}

function unknownCommand(name: string): never {
  throw new Refusal('UNKNOWN_COMMAND', `unknown command ${JSON.stringify(name.slice(0, 64))}`);
}

function refused(id: RequestId, code: ErrorCode, message: string): RefusedRequest {
  return { type: 'refused', id, code, reply: errorReply(id, code, message) };
}

/**
 * One line without its line end. Never throws for what a client can send: a refused request carries its reply.
 */
export function parseRequest(line: string, limits: JsonLimits = DEFAULT_JSON_LIMITS): ParsedRequest {
  let body: Body;
  try {
    body = JSON.parse(line) as Body;
  } catch (error) {
    // The parser's words quote the line, which may be 16 MiB long.
    return refused(
      null,
      'INVALID_JSON',
      error instanceof SyntaxError ? error.message.slice(0, 200) : 'not JSON',
    );
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return refused(null, 'INVALID_JSON', 'a request is one JSON object a line');
  }
  const id = body.id ?? null;
  if (typeof id === 'number' ? !echoes(id) : typeof id !== 'string' && id !== null) {
    return refused(
      null,
      'INVALID_ARGUMENT',
      '"id" must be a string, or a number that a double holds exactly',
    );
  }
  try {
    return requestOf(id as RequestId, body.command ?? body.type, body, new Context(line, limits));
  } catch (error) {
    if (error instanceof Refusal) return refused(id as RequestId, error.code, error.message);
    throw error;
  }
}

/** The number comes back as it was sent. */
function echoes(id: number): boolean {
  return Number.isSafeInteger(id) || (Number.isFinite(id) && !Number.isInteger(id));
}
