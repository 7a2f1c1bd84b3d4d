import zlib from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { crc32, installCrc32 } from '../../engine/protocol/crc32.ts';
import { property } from './property.ts';

// In Node.js since 20.15; the types of this version do not know it.
const reference = (zlib as unknown as { crc32(bytes: Uint8Array, seed?: number): number }).crc32;

describe.each([
  ['in script', null],
  ['by the host', (bytes: Uint8Array, seed: number) => reference(bytes, seed)],
])('CRC-32 %s', (_name, host) => {
  afterEach(() => installCrc32(null));

  it('is zlib’s, over any part of any bytes and continued from any sum', () => {
    installCrc32(host);
    const parts = fc.tuple(
      fc.uint8Array({ maxLength: 1200 }),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    );
    property(parts, ([bytes, first, second, seed]) => {
      const start = first % (bytes.length + 1);
      const end = start + (second % (bytes.length - start + 1));
      // Of nothing at all zlib forgets the seed.
      const expected = start === end ? seed : reference(bytes.subarray(start, end), seed);
      expect(crc32(bytes, start, end, seed)).toBe(expected);
    });
  });

  it('of the check string is the published one', () => {
    installCrc32(host);
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });
});

it('a range outside of the bytes is refused', () => {
  const bytes = new Uint8Array(4);
  for (const [start, end] of [
    [0, 5],
    [-1, 2],
    [3, 2],
  ] as const) {
    expect(() => crc32(bytes, start, end)).toThrow(RangeError);
  }
});
