import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, ExpireCondition, Expiry } from '../../engine/protocol/command.ts';
import { property } from '../protocol/property.ts';
import { log } from './arbitrary-log.ts';
import { Machine, recordsOf } from './machine.ts';

const T = 1_000_000;
const within = (ms: number): Expiry => ({ type: 'after', ms });
const expire = (key: string, expiry: Expiry, when: ExpireCondition = 'always'): Command => {
  return { type: 'expire', key, expiry, when };
};
const endOf = (machine: Machine, key: string) => machine.keyspace.get(key)?.expiresAt ?? null;

describe('[K7] replicated time', () => {
  it('is the latest that an entry carried, and never goes back', () => {
    const machine = new Machine();
    machine.set('a', '1');
    expect(machine.keyspace.time).toBe(0);
    machine.at(T).set('a', '2');
    machine.at(T - 500).set('a', '3');
    expect(machine.keyspace.time).toBe(T);
    // A leader whose clock is behind counts from what the log says.
    machine.setFor(100, 'b');
    expect(endOf(machine, 'b')).toBe(T + 100);
  });

  it('alone ends keys: entries without it, and reads, end nothing', () => {
    const machine = new Machine().at(T);
    machine.setFor(100, 'a');
    machine.at(0).set('b', '1');
    expect(machine.get('a')).toBe('v');
    machine.at(T + 99).set('b', '1');
    expect(machine.get('a')).toBe('v');
    machine.at(T + 100).set('b', '1');
    expect(machine.get('a')).toBeNull();
  });

  it('is part of a snapshot, so that nothing that ended comes back on another node', () => {
    const machine = new Machine().at(T);
    machine.setFor(100, 'a');
    machine.setFor(5000, 'b');
    machine.at(T + 100).set('c', '1');
    const other = machine.copy().at(T - 7000);
    expect([other.keyspace.time, other.get('a'), other.get('b')]).toEqual([T + 100, null, 'v']);
    other.set('d', '1');
    expect(other.get('a')).toBeNull();
    other.at(T + 5000).apply({ type: 'advanceTime' });
    expect(other.keys()).toEqual(['c', 'd']);
  });
});

describe('[K8] the end of a key', () => {
  it('holds for every operation, for scans and for counts, before anything has removed the key', () => {
    const machine = new Machine().at(T);
    for (let at = 0; at < 40; at++) machine.setFor(10, `k${at}`, '5');
    machine.set('stays', '1');
    machine.at(T + 10).set('other', '1');
    // 16 of them are removed by the way; the rest waits for its turn, and is gone all the same.
    expect(recordsOf(machine.keyspace).size).toBe(26);
    expect(machine.keyspace.status().keys).toBe(2);
    expect(machine.keys()).toEqual(['other', 'stays']);
    const gone = 'k9';
    const does = (command: Command) => machine.at(0).apply(command);
    expect(does({ type: 'exists', keys: [gone] })).toMatchObject({ count: 0 });
    expect(does({ type: 'delete', key: gone })).toMatchObject({ existed: false });
    expect(does({ type: 'persist', key: gone })).toMatchObject({ changed: false });
    expect(does(expire(gone, within(1000)))).toMatchObject({ changed: false });
    expect(does({ type: 'copy', from: gone, to: 'x', replace: true })).toMatchObject({ changed: false });
    expect(does({ type: 'rename', from: gone, to: 'x', ifAbsent: false })).toMatchObject({
      reason: 'noSuchKey',
    });
    expect(does({ type: 'getAndDelete', key: gone })).toMatchObject({ value: null });
    expect(does({ type: 'count' })).toMatchObject({ count: 2 });
    expect(does({ type: 'incr', key: gone, by: '1' })).toMatchObject({ value: '1' });
    expect(endOf(machine, gone)).toBeNull();
  });

  it('is found in order of the ends, and so many keys an entry', () => {
    const machine = new Machine().at(T);
    for (let at = 0; at < 3000; at++) machine.setFor(3000 - at, `k${String(at).padStart(4, '0')}`);
    expect(machine.keyspace.nextEnd).toBe(T + 1);
    machine.at(T + 5000);
    const counts: unknown[] = [];
    do {
      const result = machine.apply({ type: 'advanceTime' });
      counts.push(result.type === 'count' ? result.count : result);
    } while (machine.keyspace.nextEnd !== null);
    // Each entry removes 16 by the way, and this kind 1,024 more.
    expect(counts).toEqual([1024, 1024, 3000 - 2 * 1040 - 16]);
    expect(machine.keyspace.status()).toMatchObject({ keys: 0, bytes: 0 });
  });

  it.each<[ExpireCondition, number | null, number, boolean]>([
    ['ifNone', null, 50, true],
    ['ifNone', 100, 50, false],
    ['ifSome', null, 50, false],
    ['ifSome', 100, 50, true],
    ['ifLater', null, 50, false],
    ['ifLater', 100, 50, false],
    ['ifLater', 100, 150, true],
    ['ifLater', 100, 100, false],
    ['ifEarlier', null, 50, true],
    ['ifEarlier', 100, 50, true],
    ['ifEarlier', 100, 150, false],
    ['ifSomeAndEarlier', null, 50, false],
    ['ifSomeAndEarlier', 100, 50, true],
  ])('expire %s: from %s to %s is %s', (when, before, next, changes) => {
    const machine = new Machine().at(T);
    if (before === null) machine.set('k', 'v');
    else machine.setFor(before, 'k');
    expect(machine.apply(expire('k', within(next), when))).toMatchObject({ changed: changes });
    expect(endOf(machine, 'k')).toBe(changes ? T + next : before === null ? null : T + before);
  });

  it('in the past removes the key at once', () => {
    const machine = new Machine().at(T);
    for (const expiry of [within(0), { type: 'at', ms: T }, { type: 'at', ms: 0 }] as const) {
      machine.set('k', 'v');
      expect(machine.apply(expire('k', expiry))).toMatchObject({ changed: true });
      expect(machine.get('k')).toBeNull();
      machine.set('k', 'v');
      const rest = { value: 'w', kind: 0, when: 'always', expiry, returnsPrevious: true } as const;
      expect(machine.apply({ type: 'setWith', key: 'k', ...rest })).toMatchObject({
        written: true,
        previous: { value: 'v' },
      });
      expect(recordsOf(machine.keyspace).size).toBe(0);
    }
  });

  it('stays with a value that is changed in place, and goes when it is set anew', () => {
    const machine = new Machine().at(T);
    const changes: Command[] = [
      { type: 'incr', key: 'k', by: '1' },
      { type: 'incrByFloat', key: 'k', by: '0.5' },
      { type: 'append', key: 'k', value: '1' },
      { type: 'setRange', key: 'k', offset: 1, value: 'x' },
    ];
    machine.setFor(100, 'k', '5');
    for (const command of changes) {
      machine.apply(command);
      expect(endOf(machine, 'k')).toBe(T + 100);
    }
    machine.apply({ type: 'rename', from: 'k', to: 'l', ifAbsent: false });
    machine.apply({ type: 'copy', from: 'l', to: 'm', replace: false });
    expect([endOf(machine, 'l'), endOf(machine, 'm')]).toEqual([T + 100, T + 100]);
    machine.set('l', 'v');
    machine.apply({ type: 'persist', key: 'm' });
    expect([endOf(machine, 'l'), endOf(machine, 'm'), machine.keyspace.nextEnd]).toEqual([null, null, null]);
  });

  it('costs a key without one nothing: its record has no such field', () => {
    const machine = new Machine().at(T);
    machine.setFor(100, 'k');
    machine.set('k', 'v');
    expect(Object.keys(machine.keyspace.get('k') ?? {})).toEqual(['value', 'kind', 'revision']);
  });

  it('comes on every node at the same entry: a copy made at any moment goes on alike', () =>
    property(fc.tuple(log, fc.nat()), ([proposals, cut]) => {
      const machine = new Machine();
      const run = (on: Machine, list: typeof proposals) => {
        for (const { command, session, time = 0 } of list) on.at(time).apply(command, session);
      };
      const at = proposals.length === 0 ? 0 : cut % proposals.length;
      run(machine, proposals.slice(0, at));
      const other = machine.copy();
      run(machine, proposals.slice(at));
      run(other, proposals.slice(at));
      expect(other.keyspace.nextEnd).toBe(machine.keyspace.nextEnd);
      expect(other.dump()).toBe(machine.dump());
    }));
});

describe('[X4] sessions end by replicated time', () => {
  const increment: Command = { type: 'incr', key: 'n', by: '1' };
  const session = (letter: string, sequence: number) => ({ client: letter.repeat(16), sequence });

  it('after so long a silence, and at the same entry everywhere', () => {
    const machine = new Machine({ sessionIdleMs: 1000 }).at(T);
    machine.apply(increment, session('a', 1));
    machine.at(T + 400).apply(increment, session('b', 1));
    machine.at(T + 900).apply(increment, session('a', 1)); // a repetition is a sign of life
    machine.at(T + 1399).set('k', 'v');
    expect(machine.keyspace.sessionCount).toBe(2);
    machine.at(T + 1400).set('k', 'v');
    expect(machine.keyspace.sessionCount).toBe(1);
    const other = machine.copy({ sessionIdleMs: 1000 });
    for (const each of [machine, other]) {
      expect(each.apply(increment, session('a', 1))).toMatchObject({ value: '1' });
      expect(each.apply(increment, session('b', 1))).toMatchObject({ value: '3' });
    }
    expect(other.dump()).toBe(machine.dump());
  });

  it('those of a log from before there was time begin with it', () => {
    const machine = new Machine({ sessionIdleMs: 1000 });
    machine.apply(increment, session('a', 1));
    const other = machine.copy({ sessionIdleMs: 1000 });
    for (const each of [machine, other]) {
      each.at(T).set('k', 'v');
      each.at(T + 999).set('k', 'v');
      expect(each.keyspace.sessionCount).toBe(1);
      each.at(T + 1000).set('k', 'v');
      expect(each.keyspace.sessionCount).toBe(0);
    }
  });
});
