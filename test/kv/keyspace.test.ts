import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyspaceView } from '../../engine/kv/key-record.ts';
import { Keyspace } from '../../engine/kv/keyspace.ts';
import type { Command, CommandResult, OperationResult } from '../../engine/protocol/command.ts';
import { encodeProposal } from '../../engine/protocol/command-codec.ts';
import type { KeyRange } from '../../engine/protocol/json-line.ts';
import { property } from '../protocol/property.ts';
import { key, log } from './arbitrary-log.ts';
import { Machine } from './machine.ts';
import { ModelKeyspace } from './model.ts';

const ALL: KeyRange = { prefix: '', start: '', end: null, after: null, limit: 1000 };

function withoutMessage(result: CommandResult | OperationResult): object {
  if (result.type === 'txn') return { ...result, results: result.results.map(withoutMessage) };
  if (result.type !== 'failed') return result;
  const { message, ...rest } = result;
  expect(message).not.toBe('');
  return rest;
}

describe('commands', () => {
  it('[K1] that cannot be read fail alike wherever their bytes lie', () => {
    const bytes = encodeProposal({ command: { type: 'delete', key: 'k' }, session: null }).data.slice();
    bytes[1] = 0x7f;
    const results = [0, 1, 300].map((start) => {
      const around = new Uint8Array(start + bytes.length + 5);
      around.set(bytes, start);
      return new Keyspace().apply(1, 1, around, start, start + bytes.length);
    });
    expect(results[0]).toMatchObject({ type: 'failed', code: 'INVALID_ARGUMENT' });
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it('do what a list of pairs would do: results, records, counters, order', () =>
    property(
      fc.tuple(log, fc.integer({ min: 1, max: 10 })),
      ([proposals, viewEvery]) => {
        const keyspace = new Keyspace();
        const model = new ModelKeyspace();
        let view: KeyspaceView | null = null;
        for (const [at, proposal] of proposals.entries()) {
          const index = at + 1;
          const result = keyspace.apply(index, 3, encodeProposal(proposal).data);
          expect(withoutMessage(result)).toEqual(model.apply(index, 3, proposal));
          // Views in between: they keep what is about to change.
          if (index % viewEvery !== 0) continue;
          view?.records.release();
          view = keyspace.view();
        }
        expect(keyspace.status()).toEqual({
          keys: model.records.size,
          bytes: model.bytes,
          revision: model.revision,
        });
        const items = keyspace.scan(ALL).items;
        expect(items).toEqual(model.keys(ALL).map((name) => ({ key: name, ...model.records.get(name) })));
        for (const item of items) {
          expect(keyspace.get(item.key)).toMatchObject({
            value: item.value,
            kind: item.kind,
            revision: item.revision,
          });
        }
        for (const absent of ['nothing', 'a\x01']) expect(keyspace.get(absent)).toBeNull();
      },
      { runs: 150 },
    ));

  it('[K1] the same log gives the same bytes on every node, whenever it was looked at', () =>
    property(log, (proposals) => {
      const quiet = new Machine();
      const watched = new Machine();
      for (const { command, session } of proposals) {
        quiet.apply(command, session);
        watched.apply(command, session);
        watched.dump();
        watched.keyspace.scan(ALL);
      }
      expect(watched.dump()).toBe(quiet.dump());
    }));

  it('[K1] what is no command fails alike everywhere and changes nothing', () =>
    property(fc.uint8Array({ maxLength: 40 }), (noise) => {
      const bytes = Uint8Array.from([0xff, ...noise]);
      const one = new Machine();
      one.set('a', '1');
      const before = one.keyspace.status();
      const result = one.keyspace.apply(2, 7, bytes);
      expect(result).toMatchObject({ type: 'failed', index: 2, term: 7, code: 'INVALID_ARGUMENT' });
      expect(one.keyspace.status()).toEqual(before);
      const other = new Keyspace();
      expect(other.apply(2, 7, bytes)).toEqual(result);
    }));

  it('[K2] a bulk set is one entry, and its last item for a key wins', () => {
    const machine = new Machine();
    const items = ['a', 'b', 'a'].map((name, at) => ({ key: name, value: String(at), kind: 0 as const }));
    expect(machine.apply({ type: 'bulkSet', items })).toEqual({
      type: 'bulkSet',
      index: 1,
      term: 1,
      count: 3,
      revision: 1,
    });
    expect(
      machine.keyspace.scan(ALL).items.map(({ key: name, value, revision }) => [name, value, revision]),
    ).toEqual([
      ['a', '2', 1],
      ['b', '1', 1],
    ]);
  });

  it.each([
    ['5', '1', '6'],
    [null, '-1', '-1'],
    ['999999999999999', '999999999999999', '1999999999999998'],
    ['9223372036854775806', '1', '9223372036854775807'],
    ['9223372036854775807', '1', null],
    ['-9223372036854775808', '-1', null],
    ['-9223372036854775808', '9223372036854775807', '-1'],
    ['9223372036854775808', '1', null],
    ['1.5', '1', null],
    [' 5', '1', null],
    ['', '1', null],
    ['5', '1e3', null],
  ])('[K4] %s incremented by %s is %s', (before, by, after) => {
    const machine = new Machine();
    if (before !== null) machine.set('n', before);
    const result = machine.apply({ type: 'incr', key: 'n', by });
    if (after === null) {
      expect(result.type).toBe('failed');
      expect(machine.get('n')).toBe(before);
    } else {
      expect(result).toMatchObject({ type: 'incr', value: after });
      expect(machine.get('n')).toBe(after);
    }
  });

  it('[K4] an increment keeps text text, and begins as a JSON number', () => {
    const machine = new Machine();
    machine.set('text', '5');
    machine.apply({ type: 'incr', key: 'text', by: '1' });
    machine.apply({ type: 'incr', key: 'new', by: '1' });
    expect(machine.keyspace.get('text')).toMatchObject({ value: '6', kind: 0 });
    expect(machine.keyspace.get('new')).toMatchObject({ value: '1', kind: 1 });
  });

  it('[K5] a compare-and-set tells text from JSON, and absence from everything', () => {
    const machine = new Machine();
    const cas = (expected: { value: string; kind: 0 | 1 } | null) =>
      machine.apply({ type: 'cas', key: 'k', expected, value: 'new', kind: 0 });
    expect(cas({ value: 'x', kind: 0 })).toMatchObject({ swapped: false, current: null, revision: 0 });
    expect(cas(null)).toMatchObject({ swapped: true, current: { value: 'new', kind: 0 }, revision: 2 });
    expect(cas(null)).toMatchObject({ swapped: false, current: { value: 'new', kind: 0 }, revision: 2 });
    expect(cas({ value: 'new', kind: 1 })).toMatchObject({ swapped: false });
    expect(cas({ value: 'new', kind: 0 })).toMatchObject({ swapped: true, revision: 5 });
  });

  it('[C6] an entry out of order is a programmer error', () => {
    const machine = new Machine();
    machine.set('a', '1');
    const { data } = encodeProposal({ command: { type: 'delete', key: 'a' }, session: null });
    expect(() => machine.keyspace.apply(1, 1, data)).toThrow(RangeError);
    expect(machine.get('a')).toBe('1');
  });
});

describe('[K3] scans', () => {
  const bound = fc.oneof(key, fc.constantFrom('a', '\xfe'));
  const range = fc.record({
    prefix: fc.constantFrom('', 'a', 'user:', '\xff', '\xff\xff'),
    start: bound,
    end: fc.option(bound),
    after: fc.option(bound),
    limit: fc.integer({ min: 1, max: 4 }),
  });

  it('page through exactly the keys of a range, in byte order', () =>
    property(
      fc.tuple(log, range, fc.constantFrom(1, 8, 1000)),
      ([proposals, first, scanBytesMax]) => {
        const keyspace = new Keyspace({ scanBytesMax });
        const model = new ModelKeyspace();
        for (const [at, proposal] of proposals.entries()) {
          keyspace.apply(at + 1, 1, encodeProposal(proposal).data);
          model.apply(at + 1, 1, proposal);
        }
        const found: string[] = [];
        for (let after: string | null = first.after; ; ) {
          const page = keyspace.scan({ ...first, after });
          expect(page.items.length).toBeLessThanOrEqual(first.limit);
          found.push(...page.items.map((item) => item.key));
          if (page.next === null) break;
          expect(page.next).toBe(page.items.at(-1)?.key);
          after = page.next;
        }
        expect(found).toEqual(model.keys(first));
      },
      { runs: 150 },
    ));

  it('a page ends at its bytes as well, but holds at least one item', () => {
    const machine = new Machine({ scanBytesMax: 10 });
    for (const name of ['a', 'b', 'c']) machine.set(name, 'x'.repeat(name === 'b' ? 50 : 4));
    const pages: string[][] = [];
    for (let after: string | null = null; ; ) {
      const page = machine.keyspace.scan({ ...ALL, after });
      pages.push(page.items.map((item) => item.key));
      if (page.next === null) break;
      after = page.next;
    }
    expect(pages).toEqual([['a'], ['b'], ['c']]);
  });

  it('keys that change between pages neither repeat nor hide others', () => {
    const machine = new Machine();
    for (const name of ['a', 'b', 'c', 'd']) machine.set(name, '1');
    const page = machine.keyspace.scan({ ...ALL, limit: 2 });
    machine.apply({ type: 'delete', key: 'b' });
    machine.set('aa', '1');
    const rest = machine.keyspace.scan({ ...ALL, after: page.next });
    expect(rest.items.map((item) => item.key)).toEqual(['c', 'd']);
  });
});

describe('sessions', () => {
  const client = (at: number) => String(at).padStart(16, '0');
  const increment: Command = { type: 'incr', key: 'n', by: '1' };

  it('[X1] the same write again gets the first reply again and applies nothing', () => {
    const machine = new Machine();
    const first = machine.apply(increment, { client: client(1), sequence: 4 });
    machine.set('n', '50');
    expect(machine.apply(increment, { client: client(1), sequence: 4 })).toEqual(first);
    expect(machine.apply({ type: 'delete', key: 'n' }, { client: client(1), sequence: 4 })).toEqual(first);
    expect(machine.get('n')).toBe('50');
    expect(machine.apply(increment, { client: client(2), sequence: 4 })).toMatchObject({ value: '51' });
    expect(machine.apply(increment, { client: client(1), sequence: 5 })).toMatchObject({ value: '52' });
  });

  it('[X1] a failure is a reply too', () => {
    const machine = new Machine();
    machine.set('n', 'text');
    const first = machine.apply(increment, { client: client(1), sequence: 1 });
    machine.set('n', '5');
    expect(machine.apply(increment, { client: client(1), sequence: 1 })).toEqual(first);
    expect(machine.get('n')).toBe('5');
  });

  it('[X2] a lower sequence is refused, and what became of it is said to be unknown', () => {
    const machine = new Machine();
    machine.apply(increment, { client: client(1), sequence: 5 });
    expect(machine.apply(increment, { client: client(1), sequence: 4 })).toMatchObject({
      type: 'failed',
      outcome: 'unknown',
      message: expect.stringContaining('lower than its last, 5'),
    });
    expect(machine.get('n')).toBe('1');
    // The refusal is no reply to remember.
    expect(machine.apply(increment, { client: client(1), sequence: 5 })).toMatchObject({
      type: 'incr',
      value: '1',
    });
  });

  it('[X3] the clients that have been silent for longest are forgotten first', () => {
    const machine = new Machine({ sessionsMax: 3 });
    const write = (at: number, sequence: number) =>
      machine.apply(increment, { client: client(at), sequence });
    for (const at of [1, 2, 3]) write(at, 1);
    write(1, 1); // a repetition is a sign of life
    write(4, 1); // forgets 2
    expect(machine.keyspace.sessionCount).toBe(3);
    for (const at of [1, 3, 4]) write(at, 1);
    expect(machine.get('n')).toBe('4');
    write(2, 1);
    expect(machine.get('n')).toBe('5');
  });

  it('[X3] replies are bounded in bytes as well', () => {
    const machine = new Machine({ sessionBytesMax: 50_000 });
    machine.set('k', 'x'.repeat(10_000));
    const cas: Command = { type: 'cas', key: 'k', expected: null, value: '', kind: 0 };
    for (let at = 0; at < 100; at++) machine.apply(cas, { client: client(at), sequence: 1 });
    expect(machine.keyspace.sessionCount).toBe(4);
    // One that is larger than all that is allowed is still remembered, alone.
    machine.set('k', 'x'.repeat(100_000));
    const reply = machine.apply(cas, { client: client(500), sequence: 1 });
    machine.set('k', '');
    expect(machine.apply(cas, { client: client(500), sequence: 1 })).toEqual(reply);
    expect(machine.keyspace.sessionCount).toBe(1);
  });

  it('[X3] twenty thousand clients leave as many sessions as are kept', () => {
    const machine = new Machine({ sessionsMax: 1000 });
    for (let at = 0; at < 20_000; at++) machine.apply(increment, { client: client(at), sequence: 1 });
    expect(machine.keyspace.sessionCount).toBe(1000);
    expect(machine.get('n')).toBe('20000');
  });
});
