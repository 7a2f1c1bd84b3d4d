import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../engine/protocol/crc32.ts';
import { frameOf } from '../../engine/protocol/frame.ts';
import { PeerDecoder, PeerFrameError } from '../../engine/protocol/peer-decoder.ts';
import { encodeMessage, PEER_FRAME_BYTES_MAX } from '../../engine/protocol/peer-frames.ts';
import {
  encodeHandshake,
  HANDSHAKE_BYTES_MAX,
  type Handshake,
  PEER_VERSION,
  readHandshake,
} from '../../engine/protocol/peer-handshake.ts';
import type { AppendEntries, Entry, Message } from '../../engine/raft/types.ts';
import { EntryKind } from '../../engine/raft/types.ts';
import { damaged, message } from './arbitraries.ts';
import { property } from './property.ts';

const HELLO: Handshake = {
  version: PEER_VERSION,
  clusterId: 'demo',
  from: 1,
  to: 2,
  authentication: new Uint8Array(0),
  refusal: null,
};

function encode(...messages: readonly Message[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (const one of messages) {
    const before = chunks.length;
    const bytes = encodeMessage(one, chunks);
    expect(chunks.slice(before).reduce((sum, chunk) => sum + chunk.length, 0)).toBe(bytes);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}

/** A decoder past the handshake. */
function greeted(options: { frameBytesMax?: number } = {}): PeerDecoder {
  const decoder = new PeerDecoder(options);
  expect(decoder.push(encodeHandshake(HELLO))).toEqual([]);
  return decoder;
}

/** Messages without their entries' frames, which only cache what is compared anyway. */
function plain(messages: readonly Message[]): unknown[] {
  return messages.map((one) => {
    if (one.type !== 'AppendEntries')
      return one.type === 'InstallSnapshot' ? { ...one, data: [...one.data] } : one;
    const entries = one.entries.map(({ index, term, kind, data }) => ({
      index,
      term,
      kind,
      data: [...data],
    }));
    return { ...one, entries };
  });
}

/** Delivers `bytes` in pieces of these sizes, over and over, each in a buffer that is overwritten afterwards. */
function deliver(decoder: PeerDecoder, bytes: Uint8Array, sizes: readonly number[]): Message[] {
  const messages: Message[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    const chunk = Uint8Array.from(bytes.subarray(at, at + size));
    messages.push(...decoder.push(chunk));
    chunk.fill(0xaa);
    at += size;
  }
  return messages;
}

function resealed(frame: Uint8Array, change: (bytes: Uint8Array) => void): Uint8Array {
  const copy = Uint8Array.from(frame);
  change(copy);
  const view = new DataView(copy.buffer);
  view.setUint32(4, copy.length, true);
  view.setUint32(0, crc32(copy, 4, copy[8] === 5 ? Math.min(46, copy.length) : copy.length), true);
  return copy;
}

function poke(at: number, value: number): (bytes: Uint8Array) => void {
  return (bytes) => bytes.set([value], at);
}

const heartbeat: Message = { type: 'Heartbeat', from: 1, to: 2, term: 3, leaderCommit: 4, readRound: 5 };

function append(prevLogIndex: number, terms: readonly number[], term = 9): AppendEntries {
  const entries = terms.map((entryTerm, at): Entry => {
    const data = new Uint8Array([at]);
    return { index: prevLogIndex + 1 + at, term: entryTerm, kind: EntryKind.command, data };
  });
  return {
    type: 'AppendEntries',
    from: 1,
    to: 2,
    term,
    prevLogIndex,
    prevLogTerm: 1,
    entries,
    leaderCommit: 0,
  };
}

describe('peer frames', () => {
  it('golden: version 1 on the wire', () => {
    const head = '01000000' + '02000000' + '030000000000';
    const asked = { type: 'PreVote', from: 1, to: 2, term: 3, lastLogIndex: 0, lastLogTerm: 0 } as const;
    const committed = {
      index: 5,
      configuration: { voters: [2], votersOutgoing: [], learners: [], former: [7, 9] },
    };
    const cases: readonly [Message, string][] = [
      [heartbeat, `${'24000000' + '07' + '00'}${head}${'040000000000' + '050000000000'}`],
      [
        { type: 'RequestVoteResponse', from: 1, to: 2, term: 3, voteGranted: true },
        `${'18000000' + '04' + '01'}${head}`,
      ],
      [
        { ...asked, hasLostMemory: true },
        `${'24000000' + '01' + '01'}${head}${'000000000000' + '000000000000'}`,
      ],
      [
        { type: 'PreVoteResponse', from: 1, to: 2, term: 3, voteGranted: false },
        `${'18000000' + '02' + '00'}${head}`,
      ],
      [
        { type: 'PreVoteResponse', from: 1, to: 2, term: 3, voteGranted: false, committed },
        `${'30000000' + '02' + '00'}${head}${'050000000000' + '02' + '01' + '02000000' + '00' + '00' + '00' + '02' + '07000000' + '09000000'}`,
      ],
      [
        { ...append(0x10, []), term: 3, prevLogTerm: 2, leaderCommit: 0x0f },
        `${'2e000000' + '05' + '00'}${head}${'100000000000' + '020000000000' + '0f0000000000' + '00000000'}`,
      ],
      [
        {
          type: 'InstallSnapshot',
          from: 1,
          to: 2,
          term: 3,
          lastIncludedIndex: 4,
          lastIncludedTerm: 5,
          configuration: { voters: [1, 2], votersOutgoing: [], learners: [3] },
          offset: 6,
          data: new Uint8Array([0xab, 0xcd]),
          done: true,
          totalBytes: 8,
        },
        `${'48000000' + '09' + '01'}${head}${'040000000000' + '050000000000' + '060000000000' + '080000000000'}` +
          `${'0200' + '0000' + '0100' + '02000000' + '01000000' + '02000000' + '03000000' + 'abcd'}`,
      ],
    ];
    for (const [value, golden] of cases) {
      const bytes = encode(value);
      expect(Buffer.from(bytes.subarray(4)).toString('hex')).toBe(golden);
      expect(new DataView(bytes.buffer).getUint32(0, true)).toBe(crc32(bytes, 4));
    }
  });

  it('messages come out as they went in, however the bytes are cut', () =>
    property(
      fc.tuple(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
      ),
      ([messages, sizes]) => {
        const expected = plain(messages);
        const bytes = encode(...messages);
        const decoder = new PeerDecoder();
        const stream = Uint8Array.from([...encodeHandshake(HELLO), ...bytes]);
        expect(plain(deliver(decoder, stream, sizes))).toEqual(expected);
        expect(decoder.handshake).toEqual(HELLO);
        expect(plain(deliver(greeted(), bytes, [1]))).toEqual(expected);
        expect(plain(deliver(greeted(), bytes, [bytes.length]))).toEqual(expected);
      },
    ));

  it('entries travel as their frames, uncopied on the way out, in one buffer of their size on the way in', () => {
    const sent = append(0, [1, 1, 2]);
    const chunks: Uint8Array[] = [];
    encodeMessage(sent, chunks);
    expect(chunks.slice(1)).toEqual(sent.entries.map(frameOf));
    expect(chunks[1]?.buffer).toBe(sent.entries[0]?.frame?.buffer);

    const bytes = encode(sent);
    const chunk = Buffer.concat([bytes, Buffer.alloc(60_000, encode(heartbeat))]).subarray(
      0,
      bytes.length + 36 * 100,
    );
    const [received] = greeted().push(chunk);
    if (received?.type !== 'AppendEntries') throw new Error('not AppendEntries');
    const buffers = new Set(received.entries.flatMap((entry) => [entry.data.buffer, entry.frame?.buffer]));
    expect(buffers.size).toBe(1);
    expect([...buffers][0]?.byteLength).toBe(bytes.length - 46);
    expect(received.entries.map((entry) => frameOf(entry))).toEqual(sent.entries.map(frameOf));
  });

  it('every flipped bit is refused, and the decoder stays refused', () => {
    const bytes = encode(append(4, [5, 6]));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const broken = Uint8Array.from(bytes);
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
      const decoder = greeted();
      let got: Message[] = [];
      try {
        got = decoder.push(broken);
        // A length that grew: the decoder waits for the rest. Nothing else may pass.
        expect(bit >> 3).toBeGreaterThanOrEqual(4);
        expect(bit >> 3).toBeLessThan(8);
      } catch (error) {
        expect(error).toBeInstanceOf(PeerFrameError);
        expect(() => decoder.push(encode(heartbeat))).toThrow(PeerFrameError);
      }
      expect(got).toEqual([]);
    }
  });

  it('damaged and random bytes throw nothing but PeerFrameError', () => {
    const survive = (bytes: Uint8Array): void => {
      try {
        for (const one of deliver(greeted(), bytes, [7, 300])) encodeMessage(one, []);
      } catch (error) {
        expect(error).toBeInstanceOf(PeerFrameError);
      }
    };
    property(damaged(message.map((one) => encode(one))), survive, { runs: 200 });
    // Past the CRC: every field of a well-sealed frame may hold anything.
    const sealed = fc
      .tuple(message, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([one, at, noise]) =>
        resealed(encode(one), (bytes) =>
          bytes.set(
            noise.subarray(0, bytes.length - 8),
            8 + (at % Math.max(1, bytes.length - 8 - noise.length)),
          ),
        ),
      );
    property(sealed, survive, { runs: 400 });
    property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        new PeerDecoder().push(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PeerFrameError);
      }
    });
  });

  it.each([
    ['an unknown message', resealed(encode(heartbeat), poke(8, 77))],
    ['an unknown flag', resealed(encode(heartbeat), poke(9, 2))],
    ['a flag that the message does not have', resealed(encode(heartbeat), poke(9, 1))],
    ['a message from nobody', resealed(encode(heartbeat), (bytes) => bytes.fill(0, 10, 14))],
    ['a message to nobody', resealed(encode(heartbeat), (bytes) => bytes.fill(0, 14, 18))],
    ['a message that is too short', resealed(encode(heartbeat).subarray(0, 30), () => {})],
    ['a message that is too long', resealed(Uint8Array.from([...encode(heartbeat), 0]), () => {})],
    ['more entries than bytes', resealed(encode(append(0, [1])), (bytes) => bytes.fill(0xff, 42, 46))],
    ['fewer entries than bytes', resealed(encode(append(0, [1])), poke(42, 0))],
    ['entries with a hole before them', resealed(encode(append(0, [1])), poke(24, 1))],
    ['entries of falling terms', encode(append(0, [3, 2]))],
    ['an entry older than the one before it', encode({ ...append(0, [1]), prevLogTerm: 2 })],
    ['an entry newer than its leader', encode(append(0, [8], 7))],
  ])('%s is refused', (_what, bytes) => {
    expect(() => greeted().push(bytes)).toThrow(PeerFrameError);
  });

  it('a record of the log file that is no entry does not pass for one', () => {
    const message = append(0, [1]);
    const frame = frameOf(message.entries[0] as Entry);
    frame[20] = 64;
    new DataView(frame.buffer, frame.byteOffset).setUint32(4, crc32(frame, 8), true);
    expect(() => greeted().push(encode(message))).toThrow(PeerFrameError);
  });

  it('a frame past the limit is refused by its length alone', () => {
    const bytes = encode(
      append(
        0,
        Array.from({ length: 50 }, () => 1),
      ),
    );
    expect(() => greeted({ frameBytesMax: 500 }).push(bytes.subarray(0, 8))).toThrow(
      expect.objectContaining({ code: 'tooLarge' }),
    );
    expect(greeted({ frameBytesMax: bytes.length }).push(bytes)).toHaveLength(1);
    const longest = new Uint8Array(8);
    new DataView(longest.buffer).setUint32(4, PEER_FRAME_BYTES_MAX + 1, true);
    expect(() => greeted().push(longest)).toThrow(expect.objectContaining({ code: 'tooLarge' }));
  });

  it('numbers that have no encoding are programmer errors', () => {
    for (const term of [-1, 0.5, 2 ** 48, Number.NaN]) {
      expect(() => encodeMessage({ ...heartbeat, term }, [])).toThrow(RangeError);
    }
  });
});

describe('the handshake', () => {
  it('golden: version 1', () => {
    const bytes = encodeHandshake(HELLO);
    expect(Buffer.from(bytes.subarray(0, 12)).toString('hex')).toBe('89514c500d0a1a0a01002000');
    expect(Buffer.from(bytes.subarray(16)).toString('hex')).toBe(
      '01000000' + '02000000' + '04' + '00' + '0000' + '64656d6f',
    );
  });

  it('comes back as it was, with the bytes behind it untouched', () => {
    const field = fc.record({
      clusterId: fc
        .string({ unit: 'grapheme', minLength: 0, maxLength: 8 })
        .filter((id) => Buffer.byteLength(id) <= 64),
      from: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      to: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      authentication: fc.uint8Array({ maxLength: 255 }),
      refusal: fc.option(fc.string({ minLength: 1, maxLength: 60 })),
    });
    property(field, (fields) => {
      const bytes = encodeHandshake(fields);
      expect(bytes.length).toBeLessThanOrEqual(HANDSHAKE_BYTES_MAX);
      const reading = readHandshake(Uint8Array.from([...bytes, 1, 2, 3]));
      expect(reading).toEqual({ status: 'whole', bytes: bytes.length, handshake: { ...fields, version: 1 } });
      for (let length = 0; length < bytes.length; length++) {
        expect(readHandshake(bytes.subarray(0, length)).status).toBe('incomplete');
      }
    });
  });

  it('a long refusal is cut between characters, an empty one still refuses', () => {
    for (const refusal of ['€'.repeat(2000), '😀'.repeat(1000), 'x'.repeat(5000), '']) {
      const reading = readHandshake(encodeHandshake({ ...HELLO, refusal }));
      if (reading.status !== 'whole') throw new Error(reading.status);
      const text = reading.handshake.refusal;
      expect(text).not.toBeNull();
      if (refusal !== '') expect(refusal.startsWith(text ?? '!')).toBe(true);
    }
  });

  it('a stranger is told by its first byte, another version by its version', () => {
    expect(() => new PeerDecoder().push(new TextEncoder().encode('G'))).toThrow(
      expect.objectContaining({ code: 'magic' }),
    );
    const later = Uint8Array.from(encodeHandshake(HELLO));
    later[8] = 9;
    expect(() => new PeerDecoder().push(later)).toThrow(expect.objectContaining({ code: 'version' }));
  });

  it('every flipped bit behind the version is refused or awaited', () => {
    const bytes = encodeHandshake({ ...HELLO, authentication: new Uint8Array([1, 2]), refusal: 'no' });
    for (let bit = 80; bit < bytes.length * 8; bit++) {
      const broken = Uint8Array.from(bytes);
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(readHandshake(broken).status).not.toBe('whole');
    }
  });

  it('fields past their bounds are programmer errors', () => {
    expect(() => encodeHandshake({ ...HELLO, clusterId: 'x'.repeat(65) })).toThrow(RangeError);
    expect(() => encodeHandshake({ ...HELLO, authentication: new Uint8Array(256) })).toThrow(RangeError);
  });
});
