// One contract for every byte string codec: the pure one and Node's.
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ByteStringCodec,
  byteStringFromText,
  bytesFromByteString,
  installByteStringCodec,
  isWellFormedText,
  PURE_BYTE_STRING_CODEC,
  readByteString,
  textFromByteString,
  writeByteString,
} from '../../engine/protocol/byte-string.ts';
import { text } from './arbitraries.ts';
import { property } from './property.ts';

/** Methods that every Buffer has and that work on any Uint8Array; the types do not know them. */
const native = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start?: number, end?: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number): number;
};

/** Straight translations to Buffer, as a host would install them. */
const BUFFER_CODEC: ByteStringCodec = {
  isAscii: (text) => Buffer.byteLength(text, 'utf8') === text.length,
  fromText: (text) => native.latin1Slice.call(Buffer.from(text, 'utf8')),
  toText(value) {
    const bytes = Buffer.from(value, 'latin1');
    return isUtf8(bytes) ? bytes.toString('utf8') : null;
  },
  write: (target, offset, value) => void native.latin1Write.call(target, value, offset),
  read: (source, start, end) => native.latin1Slice.call(source, start, end),
};

const anyBytes = fc.uint8Array({ maxLength: 300 });
const wellFormed = text(100);

describe.each([
  ['pure', PURE_BYTE_STRING_CODEC],
  ['Buffer', BUFFER_CODEC],
])('byte strings, %s codec', (_name, codec) => {
  const using = (run: () => void) => {
    installByteStringCodec(codec);
    run();
  };
  afterEach(() => installByteStringCodec(PURE_BYTE_STRING_CODEC));

  it('text becomes its UTF-8 bytes and comes back', () =>
    using(() =>
      property(wellFormed, (text) => {
        const value = byteStringFromText(text);
        expect(value).toBe(Buffer.from(text, 'utf8').toString('latin1'));
        expect(textFromByteString(value)).toBe(text);
      }),
    ));

  it('ASCII text is its own byte string', () =>
    using(() => {
      for (const length of [0, 1, 8, 9, 300]) {
        expect(byteStringFromText('~'.repeat(length))).toBe('~'.repeat(length));
        expect(byteStringFromText(`${'~'.repeat(length)}\x80`)).toBe(`${'~'.repeat(length)}\xc2\x80`);
      }
    }));

  it('bytes written at an offset are read back, at every length around the fast paths', () =>
    using(() => {
      for (const length of [0, 1, 15, 16, 17, 23, 24, 25, 4095, 4096, 4097, 9000]) {
        const value = Array.from({ length }, (_, at) => String.fromCharCode((at * 31) & 0xff)).join('');
        const target = new Uint8Array(length + 6).fill(7);
        expect(writeByteString(target, 3, value)).toBe(3 + length);
        expect(readByteString(target, 3, 3 + length)).toBe(value);
        expect([...target.subarray(0, 3), ...target.subarray(3 + length)]).toEqual([7, 7, 7, 7, 7, 7]);
      }
    }));

  it('any bytes survive, out of a view in the middle of a larger buffer too', () =>
    using(() =>
      property(anyBytes, (bytes) => {
        const around = new Uint8Array(bytes.length + 20);
        around.set(bytes, 10);
        const view = around.subarray(10, 10 + bytes.length);
        const value = readByteString(view);
        expect(value.length).toBe(bytes.length);
        expect(bytesFromByteString(value)).toEqual(bytes);
      }),
    ));

  it('bytes that are not UTF-8 have no text', () =>
    using(() => {
      property(anyBytes, (bytes) => {
        expect(textFromByteString(readByteString(bytes)) !== null).toBe(isUtf8(bytes));
      });
      // Overlong, a surrogate, beyond U+10FFFF, cut short, a stray continuation.
      for (const hex of ['c080', 'eda080', 'f4908080', 'e282', '80']) {
        const filler = '~'.repeat(10);
        expect(textFromByteString(filler + Buffer.from(hex, 'hex').toString('latin1'))).toBeNull();
      }
    }));

  it('a byte order mark is kept', () =>
    using(() => {
      expect(textFromByteString('\xef\xbb\xbfvalue of some length')).toBe('\ufeffvalue of some length');
    }));

  it('what does not fit is refused', () =>
    using(() => {
      for (const value of ['abc', 'a'.repeat(50)]) {
        expect(() => writeByteString(new Uint8Array(value.length), 1, value)).toThrow(RangeError);
        expect(() => readByteString(new Uint8Array(2), 1, 1 + value.length)).toThrow(RangeError);
      }
    }));
});

it('text is well formed when every surrogate has its other half', () => {
  for (const text of ['', 'a', 'é', '😀', 'a😀b']) expect(isWellFormedText(text)).toBe(true);
  for (const text of ['\ud83d', 'a\ude00', '\ude00\ud83d', '\ud83dx', '😀\ud83d']) {
    expect(isWellFormedText(text)).toBe(false);
  }
});
