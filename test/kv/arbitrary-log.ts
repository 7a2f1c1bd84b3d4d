// Arbitrary logs over few keys, few clients and values that collide, so that commands meet.
import fc from 'fast-check';
import type { Command, Proposal, StoredValue, ValueKind } from '../../engine/protocol/command.ts';

export const key = fc.constantFrom(
  '',
  'a',
  'a\x00',
  'ab',
  'b',
  '\x7f',
  '\x80',
  '\xff',
  '\xff\xff',
  'user:1',
  'user:2',
);
const text = fc.constantFrom(
  '',
  '0',
  '5',
  '-5',
  '05',
  '-0',
  'x',
  '9223372036854775807',
  '-9223372036854775808',
  '999999999999999',
);
const kind = fc.constantFrom<ValueKind>(0, 1);
const stored: fc.Arbitrary<StoredValue> = fc.record({ value: text, kind });
const by = fc.constantFrom(
  '1',
  '-1',
  '0',
  '999999999999999',
  '9223372036854775807',
  '-9223372036854775808',
  'x',
  '',
);

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(key, stored).map(([at, value]): Command => ({ type: 'set', key: at, ...value })),
  key.map((at): Command => ({ type: 'delete', key: at })),
  fc.tuple(key, by).map(([at, step]): Command => ({ type: 'incr', key: at, by: step })),
  fc
    .tuple(key, fc.option(stored), stored)
    .map(([at, expected, value]): Command => ({ type: 'cas', key: at, expected, ...value })),
  fc
    .array(fc.tuple(key, stored), { maxLength: 4 })
    .map(
      (items): Command => ({ type: 'bulkSet', items: items.map(([at, value]) => ({ key: at, ...value })) }),
    ),
);

const session = fc.record({
  client: fc.constantFrom('A', 'B', 'C').map((letter) => letter.repeat(16)),
  sequence: fc.integer({ min: 0, max: 6 }),
});

export const log: fc.Arbitrary<Proposal[]> = fc.array(fc.record({ command, session: fc.option(session) }), {
  maxLength: 60,
});
