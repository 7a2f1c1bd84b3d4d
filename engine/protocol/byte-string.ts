// Byte strings (see command.ts): conversions from and to text and Uint8Array.
// Everything works without a host; a host may install faster versions of the bulk operations.
import type { ByteString } from './command.ts';

/** The bulk operations. Both implementations, pure and host, keep one contract: test/protocol/byte-string.test.ts. */
export interface ByteStringCodec {
  /** Every char code is below 0x80. */
  isAscii(text: string): boolean;
  /** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
  fromText(text: string): ByteString;
  /** The text whose UTF-8 bytes these are (a leading U+FEFF is kept); null when they are not valid UTF-8. */
  toText(value: ByteString): string | null;
  /** Writes one byte a character at `offset`. The caller has made sure that they fit. */
  write(target: Uint8Array, offset: number, value: ByteString): void;
  /** The bytes `[start, end)` as a string of its own that keeps nothing else alive. */
  read(source: Uint8Array, start: number, end: number): ByteString;
}

// Below these lengths a loop in JavaScript beats the way into a host function and back.
const SHORT_ASCII_CHECK = 8;
const SHORT_WRITE = 16;
const SHORT_READ = 8;
/** Arguments of one String.fromCharCode call: far from the engine's limit, long enough to be fast. */
const READ_SLICE = 4096;

const encoder = new TextEncoder();
// ignoreBOM keeps U+FEFF: a value must come back byte for byte.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isAsciiLoop(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f) return false;
  }
  return true;
}

function writeLoop(target: Uint8Array, offset: number, value: ByteString): void {
  for (let at = 0; at < value.length; at++) target[offset + at] = value.charCodeAt(at);
}

/** Up to SHORT_READ bytes: four at a time, which beats a view and an argument list. */
function readShort(source: Uint8Array, start: number, end: number): ByteString {
  let text = '';
  let at = start;
  for (; at + 4 <= end; at += 4) {
    text += String.fromCharCode(
      source[at] as number,
      source[at + 1] as number,
      source[at + 2] as number,
      source[at + 3] as number,
    );
  }
  for (; at < end; at++) text += String.fromCharCode(source[at] as number);
  return text;
}

function readSlices(source: Uint8Array, start: number, end: number): ByteString {
  if (end - start <= READ_SLICE) {
    return String.fromCharCode.apply(null, source.subarray(start, end) as unknown as number[]);
  }
  const slices: string[] = [];
  for (let at = start; at < end; at += READ_SLICE) {
    const slice = source.subarray(at, Math.min(end, at + READ_SLICE));
    slices.push(String.fromCharCode.apply(null, slice as unknown as number[]));
  }
  return slices.join('');
}

function toTextPure(value: ByteString): string | null {
  const bytes = new Uint8Array(value.length);
  writeLoop(bytes, 0, value);
  try {
    return decoder.decode(bytes);
  } catch {
    return null; // `fatal` throws on exactly one thing: bytes that are not UTF-8.
  }
}

export const PURE_BYTE_STRING_CODEC: ByteStringCodec = {
  isAscii: isAsciiLoop,
  fromText(text) {
    const bytes = encoder.encode(text);
    return readSlices(bytes, 0, bytes.length);
  },
  toText: toTextPure,
  write: writeLoop,
  read: readSlices,
};

let codec = PURE_BYTE_STRING_CODEC;

/** Call once at start, before any traffic; `PURE_BYTE_STRING_CODEC` undoes it. */
export function installByteStringCodec(faster: ByteStringCodec): void {
  codec = faster;
}

function isAscii(text: string): boolean {
  return text.length <= SHORT_ASCII_CHECK ? isAsciiLoop(text) : codec.isAscii(text);
}

/**
 * The UTF-8 bytes of `text`; ASCII text is returned as it is. A lone surrogate has no UTF-8 form and
 * becomes U+FFFD: ask `isWellFormedText` first where that must not happen.
 */
export function byteStringFromText(text: string): ByteString {
  return isAscii(text) ? text : codec.fromText(text);
}

/** The text whose UTF-8 bytes these are, or null when they are not valid UTF-8. */
export function textFromByteString(value: ByteString): string | null {
  return isAscii(value) ? value : codec.toText(value);
}

/** No surrogate stands alone, so the text survives the way to UTF-8 and back. */
export function isWellFormedText(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(at + 1); // NaN at the end, which is no low surrogate
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    at++;
  }
  return true;
}

/** Writes the bytes at `offset` and returns the offset after them. Throws RangeError when they do not fit. */
export function writeByteString(target: Uint8Array, offset: number, value: ByteString): number {
  const end = offset + value.length;
  if (end > target.length) throw new RangeError(`${value.length} bytes at ${offset} of ${target.length}`);
  if (value.length <= SHORT_WRITE) writeLoop(target, offset, value);
  else codec.write(target, offset, value);
  return end;
}

/** The bytes `[start, end)` as a byte string. Throws RangeError outside of `source`. */
export function readByteString(source: Uint8Array, start = 0, end = source.length): ByteString {
  if (start < 0 || start > end || end > source.length) {
    throw new RangeError(`[${start}, ${end}) of ${source.length} bytes`);
  }
  return end - start <= SHORT_READ ? readShort(source, start, end) : codec.read(source, start, end);
}

/** A fresh array of the bytes. */
export function bytesFromByteString(value: ByteString): Uint8Array {
  const bytes = new Uint8Array(value.length);
  writeByteString(bytes, 0, value);
  return bytes;
}
