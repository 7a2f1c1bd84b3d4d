// How keys and values travel in JSON: text as it is, other JSON values as themselves, bytes that are no UTF-8 as base64.
import { byteStringFromText, isWellFormedText, textFromByteString } from './byte-string.ts';
import { type ByteString, type StoredValue, ValueKind } from './command.ts';

/** Numbers with so many digits, or with an exponent, may not survive JSON.parse and JSON.stringify. */
const RISKY_NUMBER = /[0-9.]{16}|[0-9][eE]/;

/** The UTF-8 bytes of a string from JSON, or null when a surrogate stands alone in it, which has no UTF-8 form. */
export function bytesOfText(text: string): ByteString | null {
  const bytes = byteStringFromText(text);
  return bytes.length !== text.length && !isWellFormedText(text) ? null : bytes;
}

/** Strict: canonical base64 with its padding, else null. */
export function bytesOfBase64(text: string): ByteString | null {
  if (text.length % 4 !== 0) return null;
  try {
    const bytes = atob(text);
    return btoa(bytes) === text ? bytes : null;
  } catch {
    return null; // atob throws on exactly one thing: characters that are not base64.
  }
}

/** Cheap and on the safe side: false means that every number in the text survives JSON.parse and JSON.stringify. */
export function holdsRiskyNumber(json: string): boolean {
  return RISKY_NUMBER.test(json);
}

/**
 * The stored form of a JSON value that is no string: its text without white space. `source` finds the text that the
 * value was parsed from; it is used when `needsSource`, and when JSON.stringify cannot do it.
 */
export function storedFromJson(
  value: unknown,
  needsSource: boolean,
  source: () => string | null,
): StoredValue {
  const text = (needsSource ? source() : null) ?? stringify(value) ?? source();
  if (text === null) throw new TypeError('a JSON value without a text');
  return { value: byteStringFromText(text), kind: ValueKind.json };
}

/** Null when the value is nested deeper than the stack is. */
function stringify(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null; // a parsed value has no cycles and no bigints, so that nothing else can go wrong
  }
}

/** The members of a reply that carry a value: `"value":…` and, for bytes that are no text, `,"encoding":"base64"`. */
export function valueMembers(stored: StoredValue): string {
  const text = textFromByteString(stored.value);
  if (text === null) return `"value":"${btoa(stored.value)}","encoding":"base64"`;
  return stored.kind === ValueKind.json ? `"value":${text}` : `"value":${JSON.stringify(text)}`;
}

/** As valueMembers, for a key. */
export function keyMembers(key: ByteString): string {
  const text = textFromByteString(key);
  return text === null ? `"key":"${btoa(key)}","key_encoding":"base64"` : `"key":${JSON.stringify(text)}`;
}
