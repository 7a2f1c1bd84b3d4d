// Single operations by example; the meaning of all of them together is held against a model in keyspace.test.ts.
import { describe, expect, it } from 'vitest';
import type { Command, Guard, Operation, Relation } from '../../engine/protocol/command.ts';
import { Machine } from './machine.ts';

describe('incrByFloat', () => {
  it.each([
    ['10.50', '0.1', '10.6'],
    ['5.0e3', '2.0e2', '5200'],
    [null, '0.1', '0.1'],
    ['0.1', '0.2', '0.3'],
    ['3', '-5.0e3', '-4997'],
    ['1', '0.00000000000000001', '1.00000000000000001'],
    ['0', '0.000000000000000001', '0'],
    ['0', '0.000000000000000005', '0.00000000000000001'],
    ['0.5', '-0.5', '0'],
    ['-0', '0', '0'],
    ['1e308', '-1e308', '0'],
    ['99999999999999999999', '1', '100000000000000000000'],
    ['.5', '5.', '5.5'],
    ['+1', '+1', '2'],
    ['1e-5000', '1', '1'],
  ])('%s and %s is %s', (before, by, after) => {
    const machine = new Machine();
    if (before !== null) machine.set('n', before);
    expect(machine.apply({ type: 'incrByFloat', key: 'n', by })).toMatchObject({ value: after });
    expect(machine.get('n')).toBe(after);
  });

  it.each([
    ['text', '1', 'notFloat'],
    ['', '1', 'notFloat'],
    [' 1', '1', 'notFloat'],
    ['0x10', '1', 'notFloat'],
    ['1', 'inf', 'incrementNotFloat'],
    ['1', 'nan', 'incrementNotFloat'],
    ['1', '.', 'incrementNotFloat'],
    ['1', `1${'0'.repeat(400)}`, 'incrementNotFloat'],
    ['1.7e308', '1.7e308', 'notFinite'],
    ['1', '1e99999', 'notFinite'],
  ])('%s and %s is %s', (before, by, reason) => {
    const machine = new Machine();
    machine.set('n', before);
    expect(machine.apply({ type: 'incrByFloat', key: 'n', by })).toMatchObject({ type: 'failed', reason });
    expect(machine.get('n')).toBe(before);
  });
});

describe('values that grow', () => {
  it('setRange pads with zero bytes, and an empty piece creates nothing', () => {
    const machine = new Machine();
    expect(machine.apply({ type: 'setRange', key: 'k', offset: 5, value: '' })).toMatchObject({ length: 0 });
    expect(machine.get('k')).toBeNull();
    machine.apply({ type: 'setRange', key: 'k', offset: 2, value: 'Redis' });
    expect(machine.get('k')).toBe('\0\0Redis');
    expect(machine.apply({ type: 'setRange', key: 'k', offset: 0, value: 'ab' })).toMatchObject({
      length: 7,
    });
    expect(machine.get('k')).toBe('abRedis');
  });

  it('no longer than their bound, and then nothing changes', () => {
    const machine = new Machine();
    machine.set('k', 'v');
    const far = 16 * 1024 * 1024 - 1;
    const over: Command = { type: 'setRange', key: 'k', offset: far, value: 'xy' };
    expect(machine.apply(over)).toMatchObject({ reason: 'tooLong' });
    expect(machine.get('k')).toBe('v');
    expect(machine.apply({ type: 'setRange', key: 'k', offset: far, value: 'x' })).toMatchObject({
      length: far + 1,
    });
    expect(machine.apply({ type: 'append', key: 'k', value: 'x' })).toMatchObject({ reason: 'tooLong' });
  });

  it('a grown JSON value is bytes: its text may be JSON no longer', () => {
    const machine = new Machine();
    machine.apply({ type: 'set', key: 'k', value: '{}', kind: 1 });
    machine.apply({ type: 'append', key: 'k', value: '}' });
    expect(machine.stored('k')).toEqual({ value: '{}}', kind: 0 });
  });
});

describe('getRange', () => {
  it.each([
    [0, 3, 'This'],
    [-3, -1, 'ing'],
    [0, -1, 'This is a string'],
    [10, 100, 'string'],
    [5, 1, ''],
    [100, 200, ''],
    [-100, 1, 'Th'],
    [0, -100, 'T'],
    [-100, -90, 'T'],
    [-3, -5, ''],
  ])('%i to %i is %s', (start, end, value) => {
    const machine = new Machine();
    machine.set('k', 'This is a string');
    expect(machine.apply({ type: 'getRange', key: 'k', start, end })).toMatchObject({ value: { value } });
  });
});

const set = (key: string, value: string): Operation => ({ type: 'set', key, value, kind: 0 });
const txn = (
  compare: Guard[],
  success: Operation[],
  failure: Operation[] = [],
  onFailure: 'abort' | 'continue' = 'abort',
): Command => ({ type: 'txn', compare, success, failure, onFailure });

describe('[K9] transactions', () => {
  it('do one side or the other, with a result for each operation', () => {
    const machine = new Machine();
    const create = txn(
      [{ type: 'exists', key: 'k', exists: false }],
      [set('k', '1')],
      [{ type: 'get', key: 'k' }],
    );
    expect(machine.apply(create)).toEqual({
      type: 'txn',
      index: 1,
      term: 1,
      succeeded: true,
      results: [{ type: 'set', revision: 1 }],
      revision: 1,
    });
    expect(machine.apply(create)).toMatchObject({
      succeeded: false,
      results: [{ type: 'value', value: { value: '1', kind: 0 }, revision: 1 }],
      revision: 0,
    });
  });

  it('later operations see what earlier ones did', () => {
    const machine = new Machine();
    const steps: Operation[] = [
      { type: 'incr', key: 'n', by: '2' },
      { type: 'rename', from: 'n', to: 'm', ifAbsent: true },
      { type: 'get', key: 'm' },
      { type: 'exists', keys: ['n', 'm'] },
    ];
    expect(machine.apply(txn([], steps))).toMatchObject({
      results: [{ value: '2' }, { changed: true }, { value: { value: '2' } }, { count: 1 }],
    });
  });

  it('that fail half-way leave nothing behind: keys, ends, sizes, order, revision', () => {
    const machine = new Machine().at(1000);
    machine.set('text', 'x');
    machine.setFor(500, 'ends');
    machine.set('gone', '1');
    const steps: Operation[] = [
      set('text', 'y'),
      { type: 'delete', key: 'gone' },
      set('new', '1'),
      { type: 'persist', key: 'ends' },
      { type: 'flush' },
      set('text', 'z'),
      { type: 'rename', from: 'text', to: 'ends', ifAbsent: false },
      { type: 'incr', key: 'ends', by: '1' },
      set('never', '1'),
    ];
    const before = [machine.keyspace.status(), machine.keyspace.nextEnd, machine.keyspace.scan(ALL)];
    const result = machine.apply(txn([], steps));
    expect(result).toMatchObject({ type: 'failed', reason: 'notInteger', operation: 7 });
    expect(result).toHaveProperty('message', expect.stringContaining('operation 7 (incr)'));
    expect([machine.keyspace.status(), machine.keyspace.nextEnd, machine.keyspace.scan(ALL)]).toEqual(before);
  });

  it('as Redis does them, go on behind a failure', () => {
    const machine = new Machine();
    machine.set('text', 'x');
    const steps: Operation[] = [set('a', '1'), { type: 'incr', key: 'text', by: '1' }, set('b', '2')];
    expect(machine.apply(txn([], steps, [], 'continue'))).toMatchObject({
      succeeded: true,
      results: [{ type: 'set' }, { type: 'failed', reason: 'notInteger' }, { type: 'set' }],
    });
    expect(machine.keys()).toEqual(['a', 'b', 'text']);
  });

  it('a revision as it was when the key was watched is a condition', () => {
    const machine = new Machine().at(1000);
    machine.setFor(100, 'k');
    const watched: Guard = { type: 'revision', key: 'k', relation: '=', revision: 1 };
    expect(machine.apply(txn([watched], []))).toMatchObject({ succeeded: true });
    machine.apply({ type: 'expire', key: 'k', expiry: { type: 'after', ms: 50 }, when: 'always' });
    expect(machine.apply(txn([watched], []))).toMatchObject({ succeeded: false });
    machine.at(1100).set('other', '');
    const absent: Guard = { type: 'revision', key: 'k', relation: '=', revision: 0 };
    expect(machine.apply(txn([absent], []))).toMatchObject({ succeeded: true });
  });

  it.each<[string, 0 | 1, Relation, string, 0 | 1, boolean]>([
    ['10', 1, '>', '9', 1, true],
    ['10', 0, '>', '9', 0, false],
    ['9007199254740993', 1, '>', '9007199254740992', 1, true],
    ['1.5', 1, '<', '2', 1, true],
    ['a', 0, '<', 'b', 0, true],
    ['a', 0, '<', 'a', 0, false],
    ['5', 0, '=', '5', 1, false],
    ['5', 0, '!=', '5', 1, true],
  ])('%s (%i) %s %s (%i) is %s', (value, kind, relation, other, otherKind, holds) => {
    const machine = new Machine();
    machine.apply({ type: 'set', key: 'k', value, kind });
    const guard: Guard = { type: 'value', key: 'k', relation, value: { value: other, kind: otherKind } };
    expect(machine.apply(txn([guard], []))).toMatchObject({ succeeded: holds });
  });
});

const ALL = { prefix: '', start: '', end: null, after: null, limit: 1000 };

describe('random keys', () => {
  it('are keys, and all of them come', () => {
    const machine = new Machine();
    expect(machine.keyspace.randomKey(Math.random)).toBeNull();
    const items = Array.from({ length: 5000 }, (_, at) => ({ key: `k${at}`, value: '', kind: 0 as const }));
    machine.apply({ type: 'bulkSet', items });
    // A generator without luck: all of the range in turn.
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32;
    };
    const drawn = new Set(Array.from({ length: 100_000 }, () => machine.keyspace.randomKey(random)));
    for (const key of drawn) expect(machine.get(key ?? 'none')).toBe('');
    expect(drawn.size).toBeGreaterThan(4900);
    expect(machine.copy().apply({ type: 'randomKey', seed: 77 })).toEqual(
      machine.apply({ type: 'randomKey', seed: 77 }),
    );
  });
});
