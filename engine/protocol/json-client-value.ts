// Keys and values as replies and events carry them: bytes as base64, whole numbers with all their digits.
import { bytesFromByteString } from './byte-string.ts';
import type { ReplyValue } from './json-client.ts';
import type { JsonValue } from './json-line.ts';
import { bytesOfBase64 } from './json-value.ts';

type Fields = Record<string, unknown>;

/** The key of an item or an event. */
export function replyKey(fields: Fields): string | Uint8Array | null {
  return fields.key_encoding === 'base64'
    ? bytesOf(fields.key)
    : typeof fields.key === 'string'
      ? fields.key
      : null;
}

function bytesOf(text: unknown): Uint8Array | null {
  const bytes = typeof text === 'string' ? bytesOfBase64(text) : null;
  return bytes === null ? null : bytesFromByteString(bytes);
}

/** `source` finds the text of the value, for whole numbers past 2^53. */
export function replyValue(fields: Fields, source: () => string | null): ReplyValue {
  if (fields.encoding === 'base64') return bytesOf(fields.value);
  const value = (fields.value ?? null) as JsonValue;
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const text = source();
  return text !== null && /^-?[0-9]+$/.test(text) ? BigInt(text) : value;
}
