import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../engine/protocol/crc32.ts';
import {
  allocateEntry,
  appendFrames,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  frameOf,
  readEntry,
} from '../../engine/protocol/frame.ts';
import { writeU32 } from '../../engine/protocol/little-endian.ts';
import { type Entry, EntryKind } from '../../engine/raft/types.ts';
import { property } from './property.ts';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function entry(index: number, term: number, data: Uint8Array): Entry {
  return { index, term, kind: EntryKind.command, data };
}

const u48 = fc.integer({ min: 1, max: 2 ** 48 - 1 });

describe('frames', () => {
  it('golden: version 1 as it stands in log files', () => {
    const noop: Entry = { index: 1, term: 1, kind: EntryKind.noop, data: new Uint8Array(0) };
    expect(hex(frameOf(noop))).toBe(
      '18000000' + '4613da06' + '010000000000' + '010000000000' + '02' + '01' + '0000',
    );
    const command = entry(0x010203040506, 0xa0b0c0d0e0f, new TextEncoder().encode('hello'));
    expect(hex(frameOf(command))).toBe(
      '1d000000' + 'ad28dc27' + '060504030201' + '0f0e0d0c0b0a' + '01' + '01' + '0000' + '68656c6c6f',
    );
  });

  it('an entry comes back out of its frame', () =>
    property(fc.tuple(u48, u48, fc.uint8Array({ maxLength: 300 })), ([index, term, data]) => {
      const frame = frameOf(entry(index, term, data));
      const before = Math.min(index, 50);
      const bytes = new Uint8Array(before + frame.length + 7);
      bytes.set(frame, before);
      const read = readEntry(bytes, before);
      if (typeof read === 'string') throw new Error(read);
      expect({ ...read, data: [...read.data], frame: [...read.frame] }).toMatchObject({
        index,
        term,
        kind: 1,
        data: [...data],
        frame: [...frame],
      });
    }));

  it('is encoded once: the frame of an allocated entry is the memory that its data was written to', () => {
    const proposed = allocateEntry(EntryKind.command, 3);
    proposed.data.set([1, 2, 3]);
    proposed.index = 9;
    proposed.term = 2;
    const frame = frameOf(proposed);
    expect(frame.buffer).toBe(proposed.data.buffer);
    expect(frame.byteOffset + FRAME_HEADER_BYTES).toBe(proposed.data.byteOffset);
    expect([...frameOf(proposed)]).toEqual([...frame]);
    expect(readEntry(frame, 0)).toMatchObject({ index: 9, term: 2, frameBytes: frame.length });
  });

  it('allocated entries of any size never overlap', () =>
    property(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 2, maxLength: 60 }), (sizes) => {
      const proposed = sizes.map((size, at) => {
        const one = allocateEntry(EntryKind.command, size);
        expect(one.data.every((byte) => byte === 0)).toBe(true);
        one.data.fill(at + 1);
        one.index = at + 1;
        one.term = 1;
        return one;
      });
      for (const one of proposed) frameOf(one);
      for (const [at, one] of proposed.entries()) {
        expect(one.data.length).toBe(sizes[at]);
        expect(one.data.every((byte) => byte === at + 1)).toBe(true);
        expect(readEntry(one.frame, 0)).toMatchObject({ index: at + 1, frameBytes: one.frameBytes });
      }
    }));

  it('a batch leaves as the same bytes in fewer chunks', () => {
    const proposed = Array.from({ length: 500 }, (_, at) => {
      const one = allocateEntry(EntryKind.command, 20 + (at % 7));
      one.data.fill(at);
      one.index = at + 1;
      one.term = 1;
      return one;
    });
    const alone = entry(501, 1, new Uint8Array([1, 2, 3]));
    const chunks: Uint8Array[] = [];
    const bytes = appendFrames([...proposed, alone], chunks);
    const separate = Buffer.concat([...proposed.map(frameOf), frameOf(alone)]);
    expect(Buffer.concat(chunks).equals(separate)).toBe(true);
    expect(bytes).toBe(separate.length);
    expect(chunks.length).toBeLessThanOrEqual(4);
    expect(appendFrames([], chunks)).toBe(0);
  });

  it('an entry that leaves out its neighbours in memory does not take them along', () => {
    const proposed = [1, 2, 3].map((index) => {
      const one = allocateEntry(EntryKind.command, 4);
      one.index = index;
      one.term = 1;
      return one;
    });
    const chunks: Uint8Array[] = [];
    appendFrames([proposed[0] as Entry, proposed[2] as Entry], chunks);
    expect(
      Buffer.concat(chunks).equals(
        Buffer.concat([frameOf(proposed[0] as Entry), frameOf(proposed[2] as Entry)]),
      ),
    ).toBe(true);
  });

  it('what has no index, or is too large, has no frame', () => {
    expect(() => frameOf(entry(0, 0, new Uint8Array(0)))).toThrow(RangeError);
    expect(() => frameOf(entry(2 ** 48, 1, new Uint8Array(0)))).toThrow(RangeError);
    expect(() => allocateEntry(EntryKind.command, FRAME_BYTES_MAX)).toThrow(RangeError);
  });

  it('every flipped bit behind the length is noticed', () => {
    const frame = frameOf(entry(7, 3, new Uint8Array([10, 20, 30])));
    for (let bit = 32; bit < frame.length * 8; bit++) {
      const broken = Uint8Array.from(frame);
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(readEntry(broken, 0)).toBe('CRC does not match');
    }
  });

  it('cut anywhere it is refused for what is left, and so are zeros', () => {
    const frame = frameOf(entry(7, 3, new Uint8Array([10, 20, 30])));
    for (let length = 1; length < frame.length; length++) {
      const told = length < FRAME_HEADER_BYTES ? 0 : frame.length;
      const refusal = `an entry of ${told} bytes where ${length} are left`;
      expect(readEntry(frame.subarray(0, length), 0)).toBe(refusal);
    }
    for (const zeros of [0, 3, FRAME_HEADER_BYTES, 100]) {
      expect(readEntry(new Uint8Array(zeros), 0)).toBe(`an entry of 0 bytes where ${zeros} are left`);
    }
  });

  it('a sound frame of another version is refused', () => {
    const frame = Uint8Array.from(frameOf(entry(7, 3, new Uint8Array([1]))));
    frame[21] = 2;
    writeU32(frame, 4, crc32(frame, 8, frame.length));
    expect(readEntry(frame, 0)).toBe('unknown version 2');
  });

  it('any bytes are read without a throw', () =>
    property(fc.tuple(fc.uint8Array({ maxLength: 80 }), fc.nat(80)), ([bytes, offset]) => {
      readEntry(bytes, Math.min(offset, bytes.length));
    }));
});
