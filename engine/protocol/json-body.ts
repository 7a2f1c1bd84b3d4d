// What the parsers of JSON requests share: the object under parsing, its keys and values, and the refusal that
// ends the parsing of a line.
import type { ByteString, Expiry, StoredValue } from './command.ts';
import { ValueKind } from './command.ts';
import type { ErrorCode, JsonLimits } from './json-line.ts';
import { elementSources, memberSource } from './json-source.ts';
import { bytesOfBase64, bytesOfText, holdsRiskyNumber, storedFromJson } from './json-value.ts';
import { U48_MAX } from './little-endian.ts';

export type Body = Record<string, unknown>;

/** Ends the parsing of one line; json-request.ts makes a reply of it. */
export class Refusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function invalid(message: string): never {
  throw new Refusal('INVALID_ARGUMENT', message);
}

export function tooLarge(what: string, size: string, limit: number, setting: keyof JsonLimits): never {
  throw new Refusal('TOO_LARGE', `${what} of ${size} is over the limit of ${limit} (setting ${setting})`);
}

/**
 * The text that an object under parsing came from: the line, or an object inside it. What is looked up in it is
 * looked up once, however many items ask.
 */
export class Context {
  readonly limits: JsonLimits;
  readonly #text: () => string;
  readonly #line: Context | null;
  #exact: boolean | null = null;
  readonly #elements = new Map<string, readonly string[]>();

  constructor(text: string | (() => string), limits: JsonLimits, line: Context | null = null) {
    this.#text = typeof text === 'string' ? () => text : text;
    this.limits = limits;
    this.#line = line;
  }

  /** JSON.parse may have changed a number of this line, so values are to be taken from its text. */
  get needsSource(): boolean {
    if (this.#line !== null) return this.#line.needsSource;
    this.#exact ??= !holdsRiskyNumber(this.#text());
    return !this.#exact;
  }

  member(name: string): string | null {
    return memberSource(this.#text(), name);
  }

  /** An element of the array that is the member `name`. */
  element(name: string, at: number): Context {
    return new Context(() => this.#elementText(name, at), this.limits, this.#line ?? this);
  }

  #elementText(name: string, at: number): string {
    let elements = this.#elements.get(name);
    if (elements === undefined) {
      elements = elementSources(this.member(name) ?? '[]');
      this.#elements.set(name, elements);
    }
    return elements[at] ?? '';
  }

  /** Of an array: its second element. */
  second(): string | null {
    return elementSources(this.#text())[1] ?? null;
  }
}

export function stringBytes(text: unknown, encoding: unknown, name: string): ByteString {
  if (typeof text !== 'string') invalid(`"${name}" must be a string`);
  if (encoding === undefined) {
    return bytesOfText(text) ?? invalid(`"${name}" holds half a surrogate pair, which has no UTF-8 form`);
  }
  if (encoding !== 'base64') invalid('the only encoding is "base64"');
  return bytesOfBase64(text) ?? invalid(`"${name}" is not base64`);
}

export function keyOf(body: Body, { limits }: Context): ByteString {
  if (body.key === undefined) invalid('"key" is missing');
  return boundedKey(stringBytes(body.key, body.key_encoding, 'key'), limits);
}

export function boundedKey(key: ByteString, limits: JsonLimits): ByteString {
  if (key.length > limits.keyBytesMax) {
    tooLarge('a key', `${key.length} bytes`, limits.keyBytesMax, 'keyBytesMax');
  }
  return key;
}

interface ValueSource {
  name: string;
  encoding: unknown;
  context: Context;
  /** Where the value's text is; the member `name` when absent. */
  source?: () => string | null;
}

export function storedOf(value: unknown, { name, encoding, context, source }: ValueSource): StoredValue {
  if (value === undefined) invalid(`"${name}" is missing`);
  let stored: StoredValue;
  if (typeof value === 'string') {
    stored = { value: stringBytes(value, encoding, name), kind: ValueKind.bytes };
  } else if (encoding !== undefined) {
    invalid(`"${name}" must be a string when an encoding is given`);
  } else {
    stored = storedFromJson(value, context.needsSource, source ?? (() => context.member(name)));
  }
  if (stored.value.length > context.limits.valueBytesMax) {
    tooLarge('a value', `${stored.value.length} bytes`, context.limits.valueBytesMax, 'valueBytesMax');
  }
  return stored;
}

/** One `encoding` covers both values of a cas, and says nothing about those that are no strings. */
export function encodingFor(value: unknown, body: Body): unknown {
  return typeof value === 'string' ? body.encoding : undefined;
}

function millisecondsOf(value: unknown, name: string, least: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > U48_MAX) {
    invalid(`"${name}" must be a whole number of milliseconds from ${least} to 2^48 - 1`);
  }
  return value;
}

/** `ttl_ms`, `expires_at` or `keep_ttl`, at most one of them; null when there is none. */
export function expiryOf(body: Body): Expiry | null {
  const { ttl_ms: ttlMs, expires_at: expiresAt, keep_ttl: keeps } = body;
  const given = [ttlMs ?? null, expiresAt ?? null, keeps === true ? keeps : null].filter(
    (each) => each !== null,
  );
  if (given.length > 1) invalid('of "ttl_ms", "expires_at" and "keep_ttl" only one makes sense');
  if (keeps !== undefined && typeof keeps !== 'boolean') invalid('"keep_ttl" must be true or false');
  if (keeps === true) return { type: 'keep' };
  if (ttlMs !== undefined && ttlMs !== null) return { type: 'after', ms: millisecondsOf(ttlMs, 'ttl_ms', 1) };
  if (expiresAt === undefined || expiresAt === null) return null;
  return { type: 'at', ms: millisecondsOf(expiresAt, 'expires_at', 0) };
}

export function flagOf(body: Body, name: string): boolean {
  const value = body[name];
  if (value === undefined) return false;
  return typeof value === 'boolean' ? value : invalid(`"${name}" must be true or false`);
}

/** One of a few words, or the first of them when the member is absent. */
export function wordOf<Word extends string>(
  body: Body,
  name: string,
  words: readonly [Word, ...Word[]],
): Word {
  const value = body[name];
  if (value === undefined) return words[0];
  const word = words.find((each) => each === value);
  return word ?? invalid(`"${name}" must be one of ${words.map((each) => `"${each}"`).join(', ')}`);
}
