// Watches over a real keyspace; only the connections are the test's.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Keyspace } from '../../engine/kv/keyspace.ts';
import { WatchDesk } from '../../engine/node/watch-desk.ts';
import type { Command, Proposal } from '../../engine/protocol/command.ts';
import { encodeProposal } from '../../engine/protocol/command-codec.ts';
import { parseRequest } from '../../engine/protocol/json-request.ts';
import { log } from '../kv/arbitrary-log.ts';
import { Machine, recordsOf, stateOf } from '../kv/machine.ts';
import { property } from '../protocol/property.ts';

interface Line {
  watch?: string | number;
  event?: string;
  key?: string;
  value?: unknown;
  revision?: number;
  more?: true;
  [name: string]: unknown;
}

class Connection {
  closed = false;
  /** What the client has not read. */
  heldBytes = 0;
  readsNothing = false;
  readonly lines: Line[] = [];
  #slot = 0;

  reserve(): number {
    return this.#slot++;
  }

  reply(_slot: number, line: string): void {
    expect(line.endsWith('\n')).toBe(true);
    if (this.readsNothing) this.heldBytes += line.length;
    this.lines.push(JSON.parse(line) as Line);
  }

  take(): Line[] {
    return this.lines.splice(0);
  }

  events(): unknown[] {
    return this.take()
      .filter((line) => line.event !== undefined)
      .map(({ watch, event, key, value, revision }) => [watch, event, key, value, revision]);
  }
}

function open({ historyBytesMax = 1_000_000, watchesPerConnectionMax = 3 } = {}) {
  const keyspace = new Keyspace({ historyBytesMax });
  const desk = new WatchDesk({ keyspace, leaderId: () => 2, watchesPerConnectionMax });
  let index = 0;
  let time = 0;
  const apply = (command: Command) => {
    keyspace.apply(++index, 1, encodeProposal({ command, session: null }, time).data);
  };
  const set = (key: string, value: string) => apply({ type: 'set', key, value, kind: 0 });
  const ask = (connection: Connection, request: object) => {
    const parsed = parseRequest(JSON.stringify(request));
    const slot = connection.reserve();
    if (parsed.type === 'watch') desk.watch(parsed, connection, slot);
    else if (parsed.type === 'unwatch') desk.unwatch(parsed, connection, slot);
    else throw new Error(JSON.stringify(parsed));
    return connection.lines.pop();
  };
  const at = (now: number) => {
    time = now;
  };
  return { keyspace, desk, apply, set, ask, at };
}

describe('[K10] a watch', () => {
  test('tells every change of its keys from now on, once and in order', () => {
    const { desk, set, apply, ask } = open();
    const connection = new Connection();
    set('user:0', 'before');
    expect(ask(connection, { command: 'watch', id: 7, prefix: 'user:' })).toEqual({
      id: 7,
      status: 'ok',
      watch: 1,
      revision: 2,
    });
    set('user:1', 'a');
    set('other', 'x');
    desk.pump();
    set('user:1', 'b');
    apply({ type: 'delete', key: 'user:0' });
    apply({ type: 'delete', key: 'user:0' });
    desk.pump();
    desk.pump();
    expect(connection.events()).toEqual([
      [1, 'put', 'user:1', 'a', 2],
      [1, 'put', 'user:1', 'b', 4],
      [1, 'delete', 'user:0', undefined, 5],
    ]);
  });

  test('begins where it is told to, also ahead of this node', () => {
    const { desk, set, ask } = open();
    const [past, future] = [new Connection(), new Connection()];
    for (const value of ['a', 'b', 'c']) set('k', value);
    ask(past, { command: 'watch', prefix: '', from_revision: 2 });
    ask(future, { command: 'watch', key: 'k', from_revision: 5 });
    desk.pump();
    set('k', 'd');
    set('k', 'e');
    desk.pump();
    expect(past.events().map((event) => (event as unknown[])[3])).toEqual(['b', 'c', 'd', 'e']);
    expect(future.events()).toEqual([[1, 'put', 'k', 'e', 5]]);
  });

  test('tells which changes are of one entry, and what ended by time', () => {
    const { desk, apply, ask, at } = open();
    const connection = new Connection();
    ask(connection, { command: 'watch', prefix: '' });
    at(1000);
    const items = ['a', 'b'].map((key) => ({
      key,
      value: '1',
      kind: 0 as const,
      expiry: { type: 'after', ms: 5 } as const,
    }));
    apply({ type: 'bulkSetWith', items, ifAllAbsent: false });
    at(1005);
    apply({ type: 'advanceTime' });
    apply({ type: 'flush' });
    desk.pump();
    expect(connection.take()).toEqual([
      { watch: 1, event: 'put', key: 'a', value: '1', revision: 1, expires_at: 1005, more: true },
      { watch: 1, event: 'put', key: 'b', value: '1', revision: 1, expires_at: 1005 },
      { watch: 1, event: 'delete', key: 'a', revision: 2, expired: true, more: true },
      { watch: 1, event: 'delete', key: 'b', revision: 2, expired: true },
      { watch: 1, event: 'flush', revision: 3 },
    ]);
  });

  test('hears nothing of a transaction that was undone', () => {
    const { desk, apply, set, ask } = open();
    const connection = new Connection();
    set('text', 'x');
    ask(connection, { command: 'watch', prefix: '' });
    const success = [
      { type: 'set', key: 'a', value: '1', kind: 0 },
      { type: 'flush' },
      { type: 'incr', key: 'text', by: '1' },
      { type: 'rename', from: 'nothing', to: 'x', ifAbsent: false },
    ] as const;
    apply({ type: 'txn', compare: [], success, failure: [], onFailure: 'abort' });
    set('a', '2');
    desk.pump();
    expect(connection.events()).toEqual([[1, 'put', 'a', '2', 3]]);
  });

  test('of several on one connection each has its name, and ends alone', () => {
    const { desk, set, ask } = open();
    const connection = new Connection();
    expect(ask(connection, { command: 'watch', prefix: 'a', watch: 'first' })).toMatchObject({
      watch: 'first',
    });
    expect(ask(connection, { command: 'watch', prefix: '' })).toMatchObject({ watch: 1 });
    expect(ask(connection, { command: 'watch', prefix: '', watch: 1 })).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    set('a', '1');
    desk.pump();
    expect(connection.events()).toEqual([
      ['first', 'put', 'a', '1', 1],
      [1, 'put', 'a', '1', 1],
    ]);
    expect(ask(connection, { command: 'unwatch', watch: 'first' })).toMatchObject({ success: true });
    expect(ask(connection, { command: 'unwatch', watch: 'first' })).toMatchObject({ success: false });
    set('a', '2');
    desk.pump();
    expect(connection.events()).toEqual([[1, 'put', 'a', '2', 2]]);
    for (const watch of ['x', 'y']) ask(connection, { command: 'watch', prefix: '', watch });
    expect(ask(connection, { command: 'watch', prefix: '' })).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('watchesPerConnectionMax'),
    });
  });

  test('of the forgotten past is refused, and says from where on it can be had', () => {
    const { desk, set, ask } = open({ historyBytesMax: 2000 });
    for (let at = 0; at < 100; at++) {
      set('k', 'x'.repeat(80));
      desk.pump();
    }
    const connection = new Connection();
    const refusal = ask(connection, { command: 'watch', id: 1, prefix: '', from_revision: 1 });
    expect(refusal).toMatchObject({ id: 1, status: 'error', code: 'COMPACTED' });
    const from = Number(refusal?.lowest_revision);
    expect(from).toBeGreaterThan(80);
    ask(connection, { command: 'watch', prefix: '', from_revision: from });
    desk.pump();
    expect(connection.take().map(({ revision }) => revision)).toEqual(
      Array.from({ length: 101 - from }, (_, at) => from + at),
    );
  });

  test('that keeps up misses nothing, however much one turn brings', () => {
    const { desk, set, ask } = open({ historyBytesMax: 2000 });
    const connection = new Connection();
    ask(connection, { command: 'watch', prefix: '' });
    for (let at = 0; at < 50; at++) set('k', 'x'.repeat(80));
    desk.pump();
    expect(connection.take()).toHaveLength(50);
  });

  test('that reads slowly waits, goes on where it was, and is cut off when that is forgotten', () => {
    const { desk, set, ask } = open({ historyBytesMax: 2_000_000 });
    const connection = new Connection();
    connection.readsNothing = true;
    ask(connection, { command: 'watch', prefix: '' });
    const value = 'x'.repeat(100_000);
    for (let at = 0; at < 10; at++) {
      set('k', value);
      desk.pump();
    }
    expect(connection.heldBytes).toBeLessThan(450_000);
    const first = connection.take().length;
    connection.heldBytes = 0;
    connection.readsNothing = false;
    for (let turn = 0; turn < 10; turn++) desk.pump();
    expect(first + connection.take().length).toBe(10);

    connection.readsNothing = true;
    for (let at = 0; at < 40; at++) {
      set('k', value);
      desk.pump();
    }
    const last = connection.take().at(-1);
    expect(last).toMatchObject({ watch: 1, event: 'end', code: 'COMPACTED' });
    expect(last?.message).toContain('watchHistoryBytesMax');
    connection.readsNothing = false;
    set('k', 'v');
    desk.pump();
    expect(connection.take()).toEqual([]);
    expect(desk.watchCount).toBe(0);
  });

  test('from a revision that has not come waits for it, whatever is forgotten or replaced meanwhile', () => {
    for (const isReplaced of [false, true]) {
      const { keyspace, desk, set, ask } = open({ historyBytesMax: 4096 });
      const connection = new Connection();
      ask(connection, { command: 'watch', watch: 'slow', prefix: '' });
      ask(connection, { command: 'watch', watch: 'later', prefix: '', from_revision: 120 });
      // Nobody is told anything while the client takes nothing.
      connection.heldBytes = 1024 * 1024;
      for (let at = 0; at < 100; at++) {
        set('b', 'x'.repeat(500));
        desk.pump();
      }
      if (isReplaced) {
        keyspace.restore(stateOf(keyspace));
        desk.pump();
      }
      connection.heldBytes = 0;
      desk.pump();
      expect(connection.take()).toMatchObject([{ watch: 'slow', event: 'end', code: 'COMPACTED' }]);
      for (let at = 0; at < 25; at++) {
        set('b', String(at));
        desk.pump();
      }
      expect(connection.take().map(({ watch, revision }) => [watch, revision])).toEqual(
        [120, 121, 122, 123, 124, 125].map((revision) => ['later', revision]),
      );
    }
  });

  test('on a node whose state a snapshot has replaced ends where it missed something, and only there', () => {
    const { keyspace, desk, set, ask } = open();
    const [behind, level] = [new Connection(), new Connection()];
    ask(behind, { command: 'watch', prefix: '' });
    set('k', '1');
    desk.pump();
    const other = new Machine();
    for (let at = 0; at < 5; at++) other.set('k', String(at));
    ask(level, { command: 'watch', prefix: '', from_revision: 6 });
    keyspace.restore(stateOf(other.keyspace));
    desk.pump();
    expect(behind.take().at(-1)).toMatchObject({ event: 'end', code: 'COMPACTED', lowest_revision: 6 });
    keyspace.apply(
      6,
      1,
      encodeProposal({ command: { type: 'set', key: 'k', value: 'v', kind: 0 }, session: null }).data,
    );
    desk.pump();
    expect(level.events()).toEqual([[1, 'put', 'k', 'v', 6]]);
  });

  test('says from time to time up to where nothing is missing', () => {
    const { desk, set, ask } = open();
    const connection = new Connection();
    ask(connection, { command: 'watch', prefix: 'none' });
    set('k', '1');
    desk.pump();
    desk.tick(6000);
    desk.tick(6001);
    expect(connection.take()).toEqual([{ watch: 1, event: 'progress', revision: 1, leader_id: 2 }]);
    connection.closed = true;
    desk.tick(20_000);
    expect(desk.watchCount).toBe(0);
  });

  test('taken up again after any event, on any node, loses and repeats nothing: a mirror stays true', () =>
    property(
      fc.tuple(log, fc.nat(), fc.nat()),
      ([any, cut, pace]) => {
        // No client can store text as JSON that is none.
        const proposals = JSON.parse(JSON.stringify(any).replaceAll('"kind":1', '"kind":0')) as Proposal[];
        const nodes = [
          open({ watchesPerConnectionMax: 1000 }),
          open({ watchesPerConnectionMax: 1000 }),
        ] as const;
        const run = (list: readonly Proposal[]) => {
          for (const { keyspace, desk } of nodes) {
            for (const [at, proposal] of list.entries()) {
              keyspace.apply(keyspace.lastApplied + 1, 1, encodeProposal(proposal).data);
              if (at % (1 + (pace % 3)) === 0) desk.pump();
            }
            desk.pump();
          }
        };
        const connection = new Connection();
        nodes[0].ask(connection, { command: 'watch', prefix: '' });
        run(proposals);
        const all = connection.take();
        // The first node dies anywhere, in the middle of an entry's events too.
        const seen = all.slice(0, all.length === 0 ? 0 : cut % all.length);
        const last = seen.at(-1);
        const from = last === undefined ? 1 : Number(last.revision) + (last.more === true ? 0 : 1);
        const skip = last?.more === true ? seen.filter((line) => line.revision === last.revision).length : 0;
        const again = new Connection();
        nodes[1].ask(again, { command: 'watch', prefix: '', from_revision: from });
        nodes[1].desk.pump();
        const resumed = [...seen, ...again.take().slice(skip)];
        expect(resumed).toEqual(all);
        expect(mirrorOf(resumed)).toEqual(contentOf(nodes[1].keyspace));
      },
      { runs: 150 },
    ));
});

function spell(line: Line): string {
  return line.key_encoding === 'base64'
    ? atob(String(line.key))
    : Buffer.from(String(line.key)).toString('latin1');
}

function mirrorOf(lines: readonly Line[]): Map<string, number> {
  const mirror = new Map<string, number>();
  for (const line of lines) {
    if (line.event === 'flush') mirror.clear();
    else if (line.event === 'put') mirror.set(spell(line), Number(line.revision));
    else mirror.delete(spell(line));
  }
  return mirror;
}

/** What no entry has removed yet counts as there: its removal will be told. */
function contentOf(keyspace: Keyspace): Map<string, number> {
  return new Map([...recordsOf(keyspace)].map(([key, { revision }]) => [key, revision]));
}
