// Arbitrary logs over few keys, few clients, values that collide and times that pass, so that commands meet.
import fc from 'fast-check';
import type {
  Command,
  ExpireCondition,
  Expiry,
  Guard,
  Operation,
  Presence,
  Proposal,
  Relation,
  StoredValue,
  ValueKind,
} from '../../engine/protocol/command.ts';

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
  '0.5',
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

const NOW = 1_000_000;
/** Times of proposals and ends of keys: near enough to each other that many pass. */
const moment = fc.integer({ min: NOW, max: NOW + 40 });
const expiry: fc.Arbitrary<Expiry> = fc.oneof(
  fc.constantFrom<Expiry>({ type: 'none' }, { type: 'keep' }, { type: 'at', ms: 0 }),
  fc.integer({ min: 0, max: 20 }).map((ms): Expiry => ({ type: 'after', ms })),
  moment.map((ms): Expiry => ({ type: 'at', ms })),
);
const item = fc.tuple(key, stored).map(([at, value]) => ({ key: at, ...value }));
const flag = fc.boolean();
const keys = fc.array(key, { maxLength: 4 });
const offset = fc.integer({ min: -4, max: 4 });

function plain<Type extends 'getAndDelete' | 'persist' | 'delete' | 'get' | 'strlen' | 'expiryOf'>(
  ...types: Type[]
) {
  return fc.tuple(fc.constantFrom(...types), key).map(([type, at]): Operation => ({ type, key: at }));
}

const write: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(key, stored).map(([at, value]): Operation => ({ type: 'set', key: at, ...value })),
  plain('getAndDelete', 'persist', 'delete'),
  fc.tuple(key, by).map(([at, step]): Operation => ({ type: 'incr', key: at, by: step })),
  fc
    .tuple(key, fc.option(stored), stored)
    .map(([at, expected, value]): Operation => ({ type: 'cas', key: at, expected, ...value })),
  fc.array(item, { maxLength: 4 }).map((items): Operation => ({ type: 'bulkSet', items })),
  fc
    .tuple(item, fc.constantFrom<Presence>('always', 'absent', 'present'), expiry, flag)
    .map(([one, when, end, returnsPrevious]): Operation => {
      return { type: 'setWith', ...one, when, expiry: end, returnsPrevious };
    }),
  fc
    .tuple(fc.array(fc.tuple(item, expiry), { maxLength: 4 }), flag)
    .map(([items, ifAllAbsent]): Operation => {
      return {
        type: 'bulkSetWith',
        items: items.map(([one, end]) => ({ ...one, expiry: end })),
        ifAllAbsent,
      };
    }),
  keys.map((list): Operation => ({ type: 'deleteMany', keys: list })),
  fc
    .tuple(key, fc.constantFrom('0.25', '-0.25', '1e2', '.5', '3', 'x', '', '.', '1e400'))
    .map(([at, step]): Operation => ({ type: 'incrByFloat', key: at, by: step })),
  fc.tuple(key, text).map(([at, value]): Operation => ({ type: 'append', key: at, value })),
  fc
    .tuple(key, fc.constantFrom(0, 1, 5, 16 * 1024 * 1024), fc.constantFrom('', 'q', '12'))
    .map(([at, from, value]): Operation => ({ type: 'setRange', key: at, offset: from, value })),
  fc.tuple(key, expiry).map(([at, end]): Operation => ({ type: 'getAndExpire', key: at, expiry: end })),
  fc
    .tuple(
      key,
      expiry,
      fc.constantFrom<ExpireCondition>(
        'always',
        'ifNone',
        'ifSome',
        'ifLater',
        'ifEarlier',
        'ifSomeAndEarlier',
      ),
    )
    .map(([at, end, when]): Operation => ({ type: 'expire', key: at, expiry: end, when })),
  fc.tuple(key, key, flag).map(([from, to, ifAbsent]): Operation => ({ type: 'rename', from, to, ifAbsent })),
  fc.tuple(key, key, flag).map(([from, to, replace]): Operation => ({ type: 'copy', from, to, replace })),
);

const read: fc.Arbitrary<Operation> = fc.oneof(
  plain('get', 'strlen', 'expiryOf'),
  keys.map((list): Operation => ({ type: 'getMany', keys: list })),
  keys.map((list): Operation => ({ type: 'exists', keys: list })),
  fc
    .tuple(key, offset, offset)
    .map(([at, start, end]): Operation => ({ type: 'getRange', key: at, start, end })),
  fc.constant<Operation>({ type: 'count' }),
  fc.nat({ max: 0xffff_ffff }).map((seed): Operation => ({ type: 'randomKey', seed })),
  fc
    .tuple(fc.constantFrom('', 'a', 'user:'), fc.option(key), fc.integer({ min: 1, max: 3 }))
    .map(([prefix, after, limit]): Operation => {
      return { type: 'keys', range: { prefix, start: '', end: null, after, limit } };
    }),
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { arbitrary: write, weight: 20 },
  { arbitrary: read, weight: 6 },
  { arbitrary: fc.constant<Operation>({ type: 'flush' }), weight: 1 },
);

const relation = fc.constantFrom<Relation>('=', '!=', '<', '>');
const guard: fc.Arbitrary<Guard> = fc.oneof(
  fc
    .tuple(key, relation, fc.option(stored))
    .map(([at, how, value]): Guard => ({ type: 'value', key: at, relation: how, value })),
  fc
    .tuple(key, relation, fc.nat({ max: 30 }))
    .map(([at, how, revision]): Guard => ({ type: 'revision', key: at, relation: how, revision })),
  fc.tuple(key, flag).map(([at, exists]): Guard => ({ type: 'exists', key: at, exists })),
);

const operations = fc.array(operation, { maxLength: 5 });
export const command: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: operation, weight: 12 },
  {
    arbitrary: fc
      .record({
        compare: fc.array(guard, { maxLength: 2 }),
        success: operations,
        failure: operations,
        onFailure: fc.constantFrom<'abort' | 'continue'>('abort', 'continue'),
      })
      .map((fields): Command => ({ type: 'txn', ...fields })),
    weight: 5,
  },
  { arbitrary: fc.constant<Command>({ type: 'advanceTime' }), weight: 1 },
);

const session = fc.record({
  client: fc.constantFrom('A', 'B', 'C').map((letter) => letter.repeat(16)),
  sequence: fc.integer({ min: 0, max: 6 }),
});

export const log: fc.Arbitrary<Proposal[]> = fc.array(
  fc.tuple(command, fc.option(session), fc.option(moment)).map(([what, who, time]): Proposal => {
    return { command: what, session: who, ...(time === null ? {} : { time }) };
  }),
  { maxLength: 60 },
);
