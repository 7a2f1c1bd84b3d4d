// Do replies come out in the order of the requests, whatever the order they were given in?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gatherChunks } from '../../engine/transport/gather-chunks.ts';
import { type Reply, ReplyRing } from '../../engine/transport/reply-ring.ts';
import { RoundTrip } from '../../engine/transport/round-trip.ts';

describe('reply ring', () => {
  test('any order in, the order of the slots out, texts joined', () => {
    const shape = fc.array(fc.record({ priority: fc.double({ noNaN: true }), binary: fc.boolean() }), {
      maxLength: 600,
    });
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 50 }), (replies, takeEvery) => {
        const ring = new ReplyRing();
        const slots = replies.map(({ priority, binary }) => ({ slot: ring.reserve(10), priority, binary }));
        expect(ring.requestBytes).toBe(10 * replies.length);
        const taken: Reply[] = [];
        for (const [at, { slot, binary }] of [...slots].sort((a, b) => a.priority - b.priority).entries()) {
          ring.fill(slot, binary ? Buffer.from(`${slot};`) : `${slot};`);
          if (at % takeEvery === 0) taken.push(...ring.take());
        }
        taken.push(...ring.take());
        const text = taken
          .map((chunk) => (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()))
          .join('');
        expect(text).toBe(slots.map(({ slot }) => `${slot};`).join(''));
        expect([ring.outstanding, ring.replyBytes, ring.requestBytes]).toEqual([0, 0, 0]);
      }),
    );
  });

  test('neighbouring texts become one chunk; fill tells whether something can be taken', () => {
    const ring = new ReplyRing();
    const [first, second, third] = [ring.reserve(0), ring.reserve(0), ring.reserve(0)];
    expect(ring.fill(second, 'b')).toBe(false);
    expect(ring.take()).toEqual([]);
    expect(ring.fill(first, 'a')).toBe(true);
    expect(ring.take()).toEqual(['ab']);
    expect(ring.fill(third, 'c')).toBe(true);
    expect(ring.take()).toEqual(['c']);
  });

  test('a slot that waits for no reply throws', () => {
    const ring = new ReplyRing();
    expect(() => ring.fill(0, 'never reserved')).toThrow(RangeError);
    const slot = ring.reserve(0);
    ring.fill(slot, 'once');
    expect(() => ring.fill(slot, 'twice')).toThrow(RangeError);
    ring.take();
    expect(() => ring.fill(slot, 'after it was taken')).toThrow(RangeError);
  });
});

describe('gathered chunks', () => {
  test('are the same bytes in the same order, in fewer pieces, and large ones are not copied', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 4000, max: 9000 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const chunks = lengths.map((length, at) => new Uint8Array(length).fill(at + 1));
        const gathered = gatherChunks(chunks);
        expect(Buffer.concat(gathered).equals(Buffer.concat(chunks))).toBe(true);
        const large: Uint8Array[] = chunks.filter((chunk) => chunk.length > 4096);
        const uncopied = gathered.filter((chunk) => large.includes(chunk));
        expect(uncopied.length).toBe(large.length);
        expect(gathered.length).toBeLessThanOrEqual(2 * large.length + 1);
      }),
    );
  });
});

describe('round trip', () => {
  test('each answer is measured against its own probe; strangers, repeats and late ones count for nothing', () => {
    const roundTrip = new RoundTrip();
    expect(roundTrip.smoothedMs).toBeNull();
    const first = roundTrip.nextProbe(1000);
    const second = roundTrip.nextProbe(1200);
    roundTrip.answer(second, 1210);
    expect(roundTrip.smoothedMs).toBe(10);
    roundTrip.answer(second, 9999);
    roundTrip.answer(second + 1, 9999);
    expect(roundTrip.smoothedMs).toBe(10);
    roundTrip.answer(first, 1410);
    expect(roundTrip.smoothedMs).toBe(110);
    const old = roundTrip.nextProbe(2000);
    for (let count = 0; count < 64; count++) roundTrip.nextProbe(2000);
    roundTrip.answer(old, 9999);
    expect(roundTrip.smoothedMs).toBe(110);
    roundTrip.reset();
    expect(roundTrip.smoothedMs).toBeNull();
  });
});
