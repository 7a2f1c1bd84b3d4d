import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Proposal } from '../../engine/protocol/command.ts';
import {
  decodeProposal,
  encodeProposal,
  PROPOSAL_BYTES_MAX,
  proposalBytes,
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

describe('commands as bytes', () => {
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
        expect(entry.data.length).toBe(proposalBytes(value));
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
      fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 0x81, 0x83, 0x85, 6), fc.uint8Array({ maxLength: 60 })),
      ([code, rest]) => {
        try {
          decodeProposal(Uint8Array.from([1, code, ...rest]));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      },
      { runs: 1000 },
    ));

  it('cut short anywhere, or followed by anything, are refused', () => {
    for (const [value] of GOLDEN) {
      const { data } = encodeProposal(value);
      for (let length = 0; length < data.length; length++) {
        expect(() => decodeProposal(data.subarray(0, length))).toThrow(DecodeError);
      }
      expect(() => decodeProposal(Uint8Array.from([...data, 0]))).toThrow(DecodeError);
    }
  });

  it.each([
    ['another version', '0201006b'],
    ['an unknown command', '010600'],
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
