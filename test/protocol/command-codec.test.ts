import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, KeyValue, Proposal, ValueKind } from '../../engine/protocol/command.ts';
import {
  decodeProposal,
  encodeProposal,
  type PlainItem,
  type PlainWrite,
  PROPOSAL_BYTES_MAX,
  proposalBytes,
  readPlainItem,
  readPlainWrite,
} from '../../engine/protocol/command-codec.ts';
import { DecodeError } from '../../engine/protocol/decode-error.ts';
import { damaged, proposal } from './arbitraries.ts';
import { property } from './property.ts';

const session = { client: '0123456789abcdef', sequence: 0x01_0203_0405_0607 };

/** Version 1 as it stands in logs: these lines never change. */
const GOLDEN: readonly [Proposal, string][] = [
  [
    { command: { type: 'set', key: 'k', value: 'v', kind: 0 }, session: null },
    '0101' + '00' + '016b' + '0176',
  ],
  [
    { command: { type: 'set', key: '\xff\x00', value: '5', kind: 1 }, session },
    '0181' + '30313233343536373839616263646566' + '0706050403020100' + '01' + '02ff00' + '0135',
  ],
  [{ command: { type: 'delete', key: '' }, session: null }, '0102' + '00'],
  [
    {
      command: {
        type: 'bulkSet',
        items: [
          { key: 'a', value: '1', kind: 0 },
          { key: 'b', value: '', kind: 1 },
        ],
      },
      session: null,
    },
    '0103' + '02' + '00' + '0161' + '0131' + '01' + '0162' + '00',
  ],
  [{ command: { type: 'incr', key: 'n', by: '-12' }, session: null }, '0104' + '016e' + '032d3132'],
  [
    { command: { type: 'cas', key: 'k', expected: null, value: 'v', kind: 0 }, session: null },
    '0105' + '016b' + '00' + '00' + '0176',
  ],
  [
    {
      command: { type: 'cas', key: 'k', expected: { value: '1', kind: 1 }, value: 'v', kind: 0 },
      session: null,
    },
    '0105' + '016b' + '01' + '01' + '0131' + '00' + '0176',
  ],
];

/** Behind version, code and no session; these never change either. */
const MORE_GOLDEN: readonly [Command, number, string][] = [
  [
    {
      type: 'setWith',
      key: 'k',
      value: 'v',
      kind: 0,
      when: 'absent',
      expiry: { type: 'after', ms: 500 },
      returnsPrevious: true,
    },
    6,
    '00016b01760102f4010000000001',
  ],
  [
    {
      type: 'setWith',
      key: 'k',
      value: '1',
      kind: 1,
      when: 'present',
      expiry: { type: 'keep' },
      returnsPrevious: false,
    },
    6,
    '01016b0131020100',
  ],
  [
    {
      type: 'bulkSetWith',
      items: [{ key: 'a', value: '1', kind: 0, expiry: { type: 'at', ms: 1 } }],
      ifAllAbsent: true,
    },
    7,
    '0101000161013103010000000000',
  ],
  [{ type: 'deleteMany', keys: ['a', ''] }, 8, '02016100'],
  [{ type: 'incrByFloat', key: 'n', by: '-0.5' }, 9, '016e042d302e35'],
  [{ type: 'append', key: 'k', value: 'v' }, 10, '016b0176'],
  [{ type: 'setRange', key: 'k', offset: 300, value: 'v' }, 11, '016bac020176'],
  [{ type: 'getAndDelete', key: 'k' }, 12, '016b'],
  [{ type: 'getAndExpire', key: 'k', expiry: { type: 'none' } }, 13, '016b00'],
  [
    { type: 'expire', key: 'k', expiry: { type: 'after', ms: 1 }, when: 'ifSomeAndEarlier' },
    14,
    '016b0201000000000005',
  ],
  [{ type: 'persist', key: 'k' }, 15, '016b'],
  [{ type: 'rename', from: 'a', to: 'b', ifAbsent: true }, 16, '0161016201'],
  [{ type: 'copy', from: 'a', to: 'b', replace: false }, 17, '0161016200'],
  [{ type: 'flush' }, 18, ''],
  [{ type: 'get', key: 'k' }, 19, '016b'],
  [{ type: 'getMany', keys: ['a', 'b'] }, 20, '0201610162'],
  [{ type: 'getRange', key: 'k', start: -2, end: 5 }, 21, '016b010200000000000000000500000000000000'],
  [{ type: 'strlen', key: 'k' }, 22, '016b'],
  [{ type: 'exists', keys: ['a'] }, 23, '010161'],
  [{ type: 'expiryOf', key: 'k' }, 24, '016b'],
  [{ type: 'count' }, 25, ''],
  [
    { type: 'keys', range: { prefix: 'p', start: '', end: 'q', after: null, limit: 10 } },
    26,
    '017000010171000a',
  ],
  [{ type: 'randomKey', seed: 7 }, 27, '07'],
  [
    {
      type: 'txn',
      compare: [
        { type: 'value', key: 'k', relation: '=', value: null },
        { type: 'revision', key: 'k', relation: '>', revision: 5 },
        { type: 'exists', key: 'k', exists: true },
      ],
      success: [
        { type: 'set', key: 'k', value: 'v', kind: 0 },
        { type: 'get', key: 'k' },
      ],
      failure: [{ type: 'delete', key: 'k' }],
      onFailure: 'continue',
    },
    28,
    '010301016b000002016b0305000000000003016b01020100016b017613016b0102016b',
  ],
  [{ type: 'advanceTime' }, 29, ''],
];

describe('commands as bytes', () => {
  it.each(MORE_GOLDEN)('golden: %j', (command, code, golden) => {
    const value: Proposal = { command, session: null };
    const bytes = Buffer.from(`01${code.toString(16).padStart(2, '0')}${golden}`, 'hex');
    expect(Buffer.from(encodeProposal(value).data).toString('hex')).toBe(bytes.toString('hex'));
    expect(decodeProposal(bytes)).toEqual(value);
  });

  it('golden: a time stands before the session', () => {
    const value: Proposal = { command: { type: 'delete', key: 'k' }, session, time: 0x0102_0304_0506 };
    const golden = `0282060504030201${'30313233343536373839616263646566'}${'0706050403020100'}016b`;
    expect(Buffer.from(encodeProposal(value).data).toString('hex')).toBe(golden);
    expect(decodeProposal(Buffer.from(golden, 'hex'))).toEqual(value);
    const { time, ...timeless } = value;
    expect(encodeProposal(timeless, time).data).toEqual(encodeProposal(value).data);
  });

  it.each(GOLDEN)('golden: %j', (value, golden) => {
    expect(Buffer.from(encodeProposal(value).data).toString('hex')).toBe(golden);
    expect(decodeProposal(Buffer.from(golden, 'hex'))).toEqual(value);
  });

  it('golden: lengths in one to four bytes', () => {
    for (const [length, prefix] of [
      [127, '7f'],
      [128, '8001'],
      [16_384, '808001'],
      [2_097_152, '80808001'],
    ] as const) {
      const value: Proposal = { command: { type: 'delete', key: 'x'.repeat(length) }, session: null };
      const { data } = encodeProposal(value);
      expect(Buffer.from(data.subarray(0, 2 + prefix.length / 2)).toString('hex')).toBe(`0102${prefix}`);
      expect(decodeProposal(data)).toEqual(value);
    }
  });

  it('come back as they were, in as many bytes as announced', () =>
    property(
      proposal,
      (value) => {
        const entry = encodeProposal(value);
        expect(entry).toMatchObject({ index: 0, term: 0, kind: 1 });
        expect(entry.data.length).toBe(proposalBytes(value) + (value.time === undefined ? 0 : 6));
        expect(decodeProposal(entry.data)).toEqual(value);
      },
      { runs: 200 },
    ));

  it('have one encoding: damaged bytes are refused, or mean what they encode', () =>
    property(
      damaged(proposal.map((value) => Uint8Array.from(encodeProposal(value).data))),
      (bytes) => {
        let decoded: Proposal;
        try {
          decoded = decodeProposal(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        // An increment is checked when it is applied; everything else that decodes encodes to the same bytes.
        expect(encodeProposal(decoded).data).toEqual(bytes);
      },
      { runs: 600 },
    ));

  it('any bytes at all throw nothing but DecodeError', () =>
    property(
      fc.tuple(
        fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0x81, max: 0x9e })),
        fc.uint8Array({ maxLength: 60 }),
      ),
      ([code, rest]) => {
        try {
          decodeProposal(Uint8Array.from([1 + (rest.length % 2), code, ...rest]));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      },
      { runs: 1000 },
    ));

  it('cut short anywhere, or followed by anything, are refused', () => {
    const others = MORE_GOLDEN.map(([command]): Proposal => ({ command, session: null }));
    for (const value of [...GOLDEN.map(([one]) => one), ...others]) {
      const { data } = encodeProposal(value);
      for (let length = 0; length < data.length; length++) {
        expect(() => decodeProposal(data.subarray(0, length))).toThrow(DecodeError);
      }
      expect(() => decodeProposal(Uint8Array.from([...data, 0]))).toThrow(DecodeError);
    }
  });

  it.each([
    ['another version', '0301006b'],
    ['a time of nothing', '0202000000000000016b'],
    ['an unknown command', '017e00'],
    ['a transaction inside a transaction', '011c0000011c0000000000'],
    ['a time inside a transaction', '011c0000011d00'],
    ['a choice that is none', '010600016b017603000000'],
    ['more operations than bytes', '011c0000ffffffff0f'],
    ['a zero below zero', '0115016b01000000000000000000ffffffffffffff1f'],
    ['an unknown kind of value', '0101020000'],
    ['a length that is not in its shortest form', '01028000'],
    ['a length past 32 bits', '0102ffffffff7f'],
    ['a length that never ends', '0102ffffffffffff'],
    ['more items than bytes', '0103ffffffff0f'],
    ['a presence that is neither', '0105016b020000'],
    ['a sequence past 2^53', `0182${'00'.repeat(16)}ffffffffffffffff00`],
    ['an increment of too many digits', `010400ff01${'31'.repeat(255)}`],
  ])('%s is refused', (_what, hex) => {
    expect(() => decodeProposal(Buffer.from(hex, 'hex'))).toThrow(DecodeError);
  });

  it('a decoded value keeps nothing of the bytes that it came from', () => {
    const { data } = encodeProposal({
      command: { type: 'set', key: 'key', value: 'x'.repeat(100), kind: 0 },
      session: null,
    });
    const decoded = decodeProposal(data);
    data.fill(0);
    expect(decoded.command).toMatchObject({ key: 'key', value: 'x'.repeat(100) });
  });

  it('what cannot be encoded is a programmer error', () => {
    const set = { type: 'set', key: 'k', value: 'v', kind: 0 } as const;
    expect(() => encodeProposal({ command: set, session: { client: 'short', sequence: 1 } })).toThrow(
      RangeError,
    );
    for (const sequence of [-1, 0.5, 2 ** 53]) {
      expect(() => encodeProposal({ command: set, session: { ...session, sequence } })).toThrow(RangeError);
    }
    const items = Array.from({ length: 9 }, () => ({
      key: '',
      value: 'x'.repeat(8 * 1024 * 1024),
      kind: 0 as const,
    }));
    const huge: Proposal = { command: { type: 'bulkSet', items }, session: null };
    expect(proposalBytes(huge)).toBeGreaterThan(PROPOSAL_BYTES_MAX);
    expect(() => encodeProposal(huge)).toThrow(RangeError);
  });
});

describe('a plain write', () => {
  /** What readPlainWrite makes of the bytes; null when it leaves them to decodeProposal. */
  function plainly(data: Uint8Array): Proposal | null {
    // In the middle of other bytes, which are none of its business.
    const bytes = Uint8Array.from([0xaa, ...data, 0x00, 0xbb]);
    const end = 1 + data.length;
    const none = { kind: 0, lengthsStart: 0, keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 };
    const item: PlainItem = { bytes: new Uint8Array(0), ...none };
    const write: PlainWrite = { command: 'set', time: 0, session: null, count: 0, itemsAt: 0 };
    if (!readPlainWrite(bytes, 1, end, { write, item })) return null;
    const items: KeyValue[] = [];
    let at = write.itemsAt;
    while (items.length < write.count) {
      at = readPlainItem(bytes, at, end, item);
      const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');
      const key = text(item.keyStart, item.keyEnd);
      items.push({ key, value: text(item.valueStart, item.valueEnd), kind: item.kind as ValueKind });
    }
    expect(at).toBe(end);
    const [first = { key: '', value: '', kind: 0 }] = items;
    const command: Command = write.command === 'set' ? { type: 'set', ...first } : { type: 'bulkSet', items };
    const { session: by, time } = write;
    return time === 0 ? { command, session: by } : { command, session: by, time };
  }

  it('is read where it lies, with and without time and session, and nothing else is', () =>
    property(proposal, (each) => {
      const isPlain = each.command.type === 'set' || each.command.type === 'bulkSet';
      const { data } = encodeProposal(each);
      expect(plainly(data)).toEqual(isPlain ? decodeProposal(data) : null);
    }));

  it('in damaged bytes, is what decodeProposal finds in them', () => {
    const agree = (data: Uint8Array) => {
      const found = plainly(data);
      if (found !== null) expect(decodeProposal(data)).toEqual(found);
    };
    property(damaged(proposal.map((each) => encodeProposal(each).data)), agree, { runs: 1000 });
    property(fc.uint8Array({ maxLength: 60 }), agree);
  });

  it('longer than two bytes of length can say is left to decodeProposal', () => {
    const command: Command = { type: 'set', key: 'k', value: 'v'.repeat(20_000), kind: 0 };
    expect(plainly(encodeProposal({ command, session: null }).data)).toBeNull();
  });
});
