import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  JsonLineSplitter,
  LINE_NOT_UTF8,
  LINE_TOO_LONG,
  type SplitLine,
} from '../../engine/protocol/json-line-splitter.ts';
import { text } from './arbitraries.ts';
import { property } from './property.ts';

const encoder = new TextEncoder();

/** In pieces of `size` bytes, each in a buffer that is overwritten afterwards. */
function split(bytes: Uint8Array, size: number, lineBytesMax = 1000): SplitLine[] {
  const splitter = new JsonLineSplitter(lineBytesMax);
  const lines: SplitLine[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = Uint8Array.from(bytes.subarray(at, at + size));
    lines.push(...splitter.push(chunk));
    chunk.fill(0x0a);
  }
  return lines;
}

describe('splitting bytes into lines', () => {
  it('is the same however the bytes are cut', () => {
    const line = fc.oneof(
      text(30).map((line) => line.replaceAll(/[\r\n]/g, '') || '{}'),
      fc.constantFrom('', ' ', '\t\t', '{"a":1}'),
    );
    property(
      fc.tuple(
        fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
      ),
      ([parts, size]) => {
        const expected = parts.map(([text]) => text).filter((text) => !/^[ \t]*$/.test(text));
        const bytes = encoder.encode(parts.map(([text, end]) => text + end).join(''));
        expect(split(bytes, size)).toEqual(expected);
        expect(split(bytes, 1)).toEqual(expected);
        expect(split(bytes, Math.max(1, bytes.length))).toEqual(expected);
      },
      { runs: 100 },
    );
  });

  it.each([1, 2, 100])('one carriage return belongs to the line end, in chunks of %i', (size) => {
    expect(split(encoder.encode('"a\r"\r\r\n\r\n"b"\r\n'), size)).toEqual(['"a\r"\r', '"b"']);
  });

  it('a line waits for its end', () => {
    const splitter = new JsonLineSplitter(100);
    expect(splitter.push(encoder.encode('{"a"'))).toEqual([]);
    expect(splitter.pendingBytes).toBe(4);
    expect(splitter.push(encoder.encode(':1}\r'))).toEqual([]);
    expect(splitter.push(encoder.encode('\n{'))).toEqual(['{"a":1}']);
    expect(splitter.pendingBytes).toBe(1);
  });

  it.each([1, 2, 3, 7, 1000])('only the line that is not UTF-8 is lost, in chunks of %i', (size) => {
    const bytes = Uint8Array.from([
      ...encoder.encode('{"é":1}\n'),
      0x22,
      0xff,
      0x22,
      0x0a,
      0xc3,
      0x0a,
      ...encoder.encode('{}\n'),
    ]);
    expect(split(bytes, size)).toEqual(['{"é":1}', LINE_NOT_UTF8, LINE_NOT_UTF8, '{}']);
  });

  it.each([1, 3, 10, 11, 12, 100])(
    'a line at the limit passes and one past it ends everything, in chunks of %i',
    (size) => {
      const fits = `${'x'.repeat(10)}\r\n${'y'.repeat(10)}\n`;
      expect(split(encoder.encode(`${fits}ok\n`), size, 10)).toEqual(['x'.repeat(10), 'y'.repeat(10), 'ok']);
      expect(split(encoder.encode(`${fits}${'z'.repeat(11)}\nok\n`), size, 10)).toEqual([
        'x'.repeat(10),
        'y'.repeat(10),
        LINE_TOO_LONG,
      ]);
    },
  );

  it('a line past the limit is noticed before its end comes, and nothing is kept of it', () => {
    const splitter = new JsonLineSplitter(10);
    expect(splitter.push(encoder.encode('a\n123456789012'))).toEqual(['a', LINE_TOO_LONG]);
    expect(splitter.push(encoder.encode('\nb\n'))).toEqual([]);
    expect(splitter.pendingBytes).toBe(0);
  });

  it('the limit counts bytes, not characters', () => {
    expect(split(encoder.encode('éééé\n'), 100, 8)).toEqual(['éééé']);
    expect(split(encoder.encode('éééé\n'), 100, 7)).toEqual([LINE_TOO_LONG]);
  });

  it('a byte order mark is no white space', () => {
    expect(split(encoder.encode('\ufeff{}\n'), 100)).toEqual(['\ufeff{}']);
  });
});
