// The data of configuration entries: golden bytes, round trips, and what is refused.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  configurationCodec,
  decodeConfiguration,
  encodeConfiguration,
} from '../../engine/protocol/configuration-codec.ts';
import type { Configuration } from '../../engine/raft/types.ts';

const ids = fc
  .uniqueArray(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { maxLength: 9 })
  .map((list) => list.sort((a, b) => a - b));
const text = fc.stringMatching(/^[\x21-\x7e]{0,40}$/);
const addresses = fc.uniqueArray(
  fc.record({ id: fc.integer({ min: 1, max: 65_535 }), client: text, peer: text }),
  {
    selector: ({ id }) => id,
    minLength: 1,
    maxLength: 9,
  },
);
const configuration: fc.Arbitrary<Configuration> = fc.record(
  {
    voters: ids,
    votersOutgoing: ids,
    learners: ids,
    addresses: addresses.map((list) => list.sort((a, b) => a.id - b.id)),
    former: ids.filter((list) => list.length > 0),
  },
  { requiredKeys: ['voters', 'votersOutgoing', 'learners'] },
);

describe('the configuration codec', () => {
  test('[F1] golden bytes', () => {
    const bytes = encodeConfiguration({
      voters: [1, 2, 4],
      votersOutgoing: [3, 2, 1],
      learners: [300],
      addresses: [{ id: 4, client: 'a:1', peer: 'b:22' }],
    });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '01' +
        '03010000000200000004000000' +
        '03010000000200000003000000' +
        '012c010000' +
        '010400000003613a3104623a3232',
    );
  });

  test('[F1] former members make it version 2', () => {
    const bytes = encodeConfiguration({ voters: [1], votersOutgoing: [], learners: [], former: [7, 3] });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '02' + '0101000000' + '00' + '00' + '00' + '020300000007000000',
    );
  });

  test('[F3] what is written comes back', () => {
    fc.assert(
      fc.property(configuration, (each) => {
        expect(decodeConfiguration(encodeConfiguration(each))).toEqual(each);
      }),
    );
  });

  test('[F4] no bytes make it throw anything, and what it reads has one encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const read = configurationCodec.decode(bytes);
        if (read !== null) expect([...encodeConfiguration(read)]).toEqual([...bytes]);
      }),
    );
    const whole = encodeConfiguration({ voters: [1, 2], votersOutgoing: [], learners: [] });
    for (let end = 0; end < whole.length; end++)
      expect(configurationCodec.decode(whole.subarray(0, end))).toBeNull();
    expect(configurationCodec.decode(Uint8Array.of(...whole, 0))).toBeNull();
    expect(configurationCodec.decode(Uint8Array.of(2, ...whole.subarray(1)))).toBeNull();
  });

  test('ids that do not rise, id 0, and addresses that are not printable are refused', () => {
    expect(configurationCodec.decode(Uint8Array.of(1, 2, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0))).toBeNull();
    expect(configurationCodec.decode(Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0))).toBeNull();
    const configurationWith = (client: string) => ({
      voters: [1],
      votersOutgoing: [],
      learners: [],
      addresses: [{ id: 1, client, peer: '' }],
    });
    expect(() => encodeConfiguration(configurationWith('a b'))).toThrow(RangeError);
    expect(() => encodeConfiguration(configurationWith('x'.repeat(301)))).toThrow(RangeError);
  });
});
