// Parses one line of the JSON line protocol into a request, or into the error reply to send.
// Unknown members are ignored; known members with senseless values are refused by name.
import { clientIdFromUuid } from './client-id.ts';
import type { ByteString, ClientSequence, Command, KeyValue, StoredValue } from './command.ts';
import { ValueKind } from './command.ts';
import { PROPOSAL_BYTES_MAX, proposalBytes } from './command-codec.ts';
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
  type WriteRequest,
} from './json-line.ts';
import { memberRequestOf } from './json-members.ts';
import { errorReply } from './json-reply.ts';
import { elementSources, memberSource } from './json-source.ts';
import { bytesOfBase64, bytesOfText, holdsRiskyNumber, storedFromJson } from './json-value.ts';
import { decodeCursor } from './scan-cursor.ts';

type Body = Record<string, unknown>;

/** One line under parsing. What is looked up in its source is looked up once, however many items ask. */
class Context {
  readonly limits: JsonLimits;
  readonly #line: string;
  #exact: boolean | null = null;
  #itemSources: readonly string[] | null = null;

  constructor(line: string, limits: JsonLimits) {
    this.#line = line;
    this.limits = limits;
  }

  /** JSON.parse may have changed a number of this line, so values are to be taken from its text. */
  get needsSource(): boolean {
    this.#exact ??= !holdsRiskyNumber(this.#line);
    return !this.#exact;
  }

  member(name: string): string | null {
    return memberSource(this.#line, name);
  }

  item(at: number): string {
    this.#itemSources ??= elementSources(this.member('items') ?? '[]');
    return this.#itemSources[at] ?? '';
  }
}

/** Ends the parsing of one line; never leaves this file. */
class Refusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

function invalid(message: string): never {
  throw new Refusal('INVALID_ARGUMENT', message);
}

function tooLarge(what: string, size: string, limit: number, setting: keyof JsonLimits): never {
  throw new Refusal('TOO_LARGE', `${what} of ${size} is over the limit of ${limit} (setting ${setting})`);
}

const SIGNED_DECIMAL = /^(?:0|-?[1-9][0-9]{0,18})$/;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

function stringBytes(text: unknown, encoding: unknown, name: string): ByteString {
  if (typeof text !== 'string') invalid(`"${name}" must be a string`);
  if (encoding === undefined) {
    return bytesOfText(text) ?? invalid(`"${name}" holds half a surrogate pair, which has no UTF-8 form`);
  }
  if (encoding !== 'base64') invalid('the only encoding is "base64"');
  return bytesOfBase64(text) ?? invalid(`"${name}" is not base64`);
}

function keyOf(body: Body, encoding: unknown, limits: JsonLimits): ByteString {
  if (body.key === undefined) invalid('"key" is missing');
  return boundedKey(stringBytes(body.key, encoding, 'key'), limits);
}

function boundedKey(key: ByteString, limits: JsonLimits): ByteString {
  if (key.length > limits.keyBytesMax) {
    tooLarge('a key', `${key.length} bytes`, limits.keyBytesMax, 'keyBytesMax');
  }
  return key;
}

function storedOf(
  value: unknown,
  encoding: unknown,
  name: string,
  context: Context,
  source: () => string | null,
): StoredValue {
  if (value === undefined) invalid(`"${name}" is missing`);
  let stored: StoredValue;
  if (typeof value === 'string') {
    stored = { value: stringBytes(value, encoding, name), kind: ValueKind.bytes };
  } else if (encoding !== undefined) {
    invalid(`"${name}" must be a string when an encoding is given`);
  } else {
    stored = storedFromJson(value, context.needsSource, source);
  }
  if (stored.value.length > context.limits.valueBytesMax) {
    tooLarge('a value', `${stored.value.length} bytes`, context.limits.valueBytesMax, 'valueBytesMax');
  }
  return stored;
}

function setOf(body: Body, context: Context): Command {
  const key = keyOf(body, body.key_encoding, context.limits);
  if (body.ttl_ms !== undefined) invalid('"ttl_ms" is not supported by this version');
  const source = () => context.member('value');
  const { value, kind } = storedOf(body.value, body.encoding, 'value', context, source);
  return { type: 'set', key, value, kind };
}

function casOf(body: Body, context: Context): Command {
  const key = keyOf(body, body.key_encoding, context.limits);
  if (body.expected === undefined) invalid('"expected" is missing; null means that the key must not exist');
  const expected =
    body.expected === null
      ? null
      : storedOf(body.expected, encodingFor(body.expected, body), 'expected', context, () =>
          context.member('expected'),
        );
  const source = () => context.member('value');
  const { value, kind } = storedOf(body.value, encodingFor(body.value, body), 'value', context, source);
  return { type: 'cas', key, expected, value, kind };
}

/** One `encoding` covers both values of a cas, and says nothing about those that are no strings. */
function encodingFor(value: unknown, body: Body): unknown {
  return typeof value === 'string' ? body.encoding : undefined;
}

function itemOf(item: unknown, at: number, context: Context): KeyValue {
  if (Array.isArray(item)) {
    if (item.length !== 2) invalid(`item ${at} must be a pair of key and value`);
    const key = boundedKey(stringBytes(item[0], undefined, 'key'), context.limits);
    const source = () => elementSources(context.item(at))[1] ?? null;
    const { value, kind } = storedOf(item[1], undefined, 'value', context, source);
    return { key, value, kind };
  }
  if (typeof item !== 'object' || item === null) invalid(`item ${at} must be an object or a pair`);
  const body = item as Body;
  if (body.ttl_ms !== undefined) invalid('"ttl_ms" is not supported by this version');
  const key = keyOf(body, body.key_encoding, context.limits);
  const source = () => memberSource(context.item(at), 'value');
  const { value, kind } = storedOf(body.value, body.encoding, 'value', context, source);
  return { key, value, kind };
}

function bulkSetOf(body: Body, context: Context): Command {
  const { items } = body;
  if (!Array.isArray(items)) invalid('"items" must be an array of objects or pairs');
  if (items.length === 0) invalid('"items" is empty');
  if (items.length > context.limits.bulkItemsMax) {
    tooLarge('a bulk_set', `${items.length} items`, context.limits.bulkItemsMax, 'bulkItemsMax');
  }
  return { type: 'bulkSet', items: items.map((item: unknown, at) => itemOf(item, at, context)) };
}

function incrementOf(body: Body): string {
  const { by } = body;
  if (by === undefined) return '1';
  if (typeof by === 'number') {
    if (Number.isSafeInteger(by)) return String(by);
    invalid('"by" must be a whole number; beyond 2^53, write it as a string');
  }
  if (typeof by !== 'string' || !SIGNED_DECIMAL.test(by)) invalid('"by" must be a whole number');
  const value = BigInt(by);
  if (value > INT64_MAX || value < INT64_MIN) invalid('"by" does not fit 64 bits');
  return by;
}

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

function writeOf(id: RequestId, body: Body, command: Command): WriteRequest {
  const proposal = { command, session: sessionOf(body) };
  if (command.type === 'bulkSet' && proposalBytes(proposal) > PROPOSAL_BYTES_MAX) {
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

function requestOf(id: RequestId, name: unknown, body: Body, context: Context): ParsedRequest {
  const { limits } = context;
  switch (name) {
    case 'set':
      return writeOf(id, body, setOf(body, context));
    case 'get': {
      const key = keyOf(body, body.key_encoding, limits);
      return { type: 'get', id, forward: forwardOf(body), key, consistency: consistencyOf(body) };
    }
    case 'delete':
      return writeOf(id, body, { type: 'delete', key: keyOf(body, body.key_encoding, limits) });
    case 'bulk_set':
      return writeOf(id, body, bulkSetOf(body, context));
    case 'cas':
      return writeOf(id, body, casOf(body, context));
    case 'incr': {
      const key = keyOf(body, body.key_encoding, limits);
      return writeOf(id, body, { type: 'incr', key, by: incrementOf(body) });
    }
    case 'scan': {
      const range = rangeOf(body, limits);
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
