import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyspaceView } from '../../engine/kv/key-record.ts';
import { Keyspace } from '../../engine/kv/keyspace.ts';
import { dumpKeyspace, KeyspaceRestorer } from '../../engine/kv/keyspace-dump.ts';
import type { Proposal } from '../../engine/protocol/command.ts';
import { encodeProposal } from '../../engine/protocol/command-codec.ts';
import { DecodeError } from '../../engine/protocol/decode-error.ts';
import { damaged } from '../protocol/arbitraries.ts';
import { property } from '../protocol/property.ts';
import { log } from './arbitrary-log.ts';
import { bytesOf, copied, stateOf } from './machine.ts';

function keyspaceOf(proposals: readonly Proposal[]): Keyspace {
  const keyspace = new Keyspace();
  for (const [at, proposal] of proposals.entries()) keyspace.apply(at + 1, 1, encodeProposal(proposal).data);
  return keyspace;
}

function restored(bytes: Uint8Array, size = bytes.length): Keyspace {
  const restorer = new KeyspaceRestorer();
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = Uint8Array.from(bytes.subarray(at, at + size));
    restorer.push(chunk);
    chunk.fill(0xaa);
  }
  const keyspace = new Keyspace();
  keyspace.restore(restorer.finish());
  return keyspace;
}

const set = (key: string, value: string): Proposal => ({
  command: { type: 'set', key, value, kind: 0 },
  session: null,
});

describe('dump and restore', () => {
  it('golden: version 1 as it stands in snapshots', () => {
    const session = { client: '0123456789abcdef', sequence: 2 };
    const keyspace = keyspaceOf([set('a', '1'), { command: { type: 'incr', key: 'n', by: '7' }, session }]);
    const header =
      '514c4b4559530d0a' +
      '01' +
      '020000000000' +
      '020000000000' +
      '0200000000000000' +
      '0400000000000000' +
      '0100000000000000';
    const keys = '00' + '010000000000' + '0161' + '0131' + '01' + '020000000000' + '016e' + '0137';
    const sessions =
      '30313233343536373839616263646566' +
      '0200000000000000' +
      '04' +
      '020000000000' +
      '010000000000' +
      '0137' +
      '020000000000';
    const block = (type: string, content: string) =>
      `${Buffer.from([content.length / 2, 0, 0, 0]).toString('hex')}${type}${content}`;
    expect(Buffer.from(bytesOf(keyspace)).toString('hex')).toBe(
      block('01', header) + block('02', keys) + block('03', sessions) + block('04', ''),
    );
  });

  it('golden: version 2, with a time and an end', () => {
    const session = { client: '0123456789abcdef', sequence: 2 };
    const expiry = { type: 'after', ms: 5 } as const;
    const ending: Proposal = {
      command: {
        type: 'setWith',
        key: 'a',
        value: '1',
        kind: 1,
        when: 'always',
        expiry,
        returnsPrevious: true,
      },
      session,
      time: 0x0102_0304_0506,
    };
    const header =
      '514c4b4559530d0a' +
      '02' +
      '020000000000' +
      '020000000000' +
      '0200000000000000' +
      '0400000000000000' +
      '0100000000000000' +
      '060504030201' +
      '0100000000000000';
    const keys =
      '81' + '010000000000' + '0b0504030201' + '0161' + '0131' + '00' + '020000000000' + '0162' + '0132';
    const sessions =
      '30313233343536373839616263646566' +
      '0200000000000000' +
      '060504030201' +
      '08' +
      '010000000000' +
      '010000000000' +
      '01' +
      '00' +
      '010000000000';
    const block = (type: string, content: string) =>
      `${Buffer.from([content.length / 2, 0, 0, 0]).toString('hex')}${type}${content}`;
    const golden = block('01', header) + block('02', keys) + block('03', sessions) + block('04', '');
    const bytes = bytesOf(keyspaceOf([ending, set('b', '2')]));
    expect(Buffer.from(bytes).toString('hex')).toBe(golden);
    expect(restored(bytes).get('a')).toMatchObject({ expiresAt: 0x0102_0304_050b });
  });

  it('bring back everything, sessions included, from pieces of any size', () =>
    property(
      fc.tuple(log, log, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 })),
      ([before, after, blockBytes, size]) => {
        const original = keyspaceOf(before);
        const bytes = bytesOf(original, blockBytes);
        const copy = restored(bytes, size);
        expect(copy.status()).toEqual(original.status());
        expect(copy.lastApplied).toBe(original.lastApplied);
        expect(bytesOf(copy, blockBytes)).toEqual(bytes);
        // And both go on alike: the sessions know the same writes.
        for (const [at, proposal] of after.entries()) {
          const index = before.length + at + 1;
          const { data } = encodeProposal(proposal);
          expect(copy.apply(index, 2, data)).toEqual(original.apply(index, 2, data));
        }
        expect(bytesOf(copy)).toEqual(bytesOf(original));
      },
    ));

  it('[K6] a view does not change, and changing goes on while it is dumped', () =>
    property(fc.tuple(log, log), ([before, after]) => {
      const keyspace = keyspaceOf(before);
      const expected = Buffer.from(bytesOf(keyspaceOf(before), 16));
      const view = keyspace.view();
      const blocks: Uint8Array[] = [];
      const slices = dumpKeyspace(view, 16);
      for (const [at, proposal] of after.entries()) {
        const slice = slices.next();
        if (slice.done !== true) blocks.push(copied(slice.value));
        keyspace.apply(before.length + at + 1, 1, encodeProposal(proposal).data);
      }
      for (const slice of slices) blocks.push(copied(slice));
      expect(Buffer.concat(blocks).equals(expected)).toBe(true);
    }));

  it('[K6] several views at a time, read in slices or given up: each gives the state of its entry, whatever is written', () => {
    const act = fc.constantFrom('write', 'write', 'write', 'slice', 'slice', 'open', 'giveUp');
    const which = fc.nat({ max: 3 });
    property(
      fc.tuple(log, fc.array(fc.tuple(act, which), { maxLength: 100 }), fc.integer({ min: 8, max: 60 })),
      ([proposals, acts, blockBytes]) => {
        const waiting = proposals.values();
        const done: Proposal[] = [];
        const keyspace = new Keyspace();
        interface Reading {
          view: KeyspaceView;
          slices: Iterator<Uint8Array>;
          blocks: Uint8Array[];
          expected: Uint8Array;
        }
        let readings: Reading[] = [];
        const close = (reading: Reading) => {
          reading.view.records.release();
          readings = readings.filter((each) => each !== reading);
        };
        const slice = (reading: Reading) => {
          const step = reading.slices.next();
          if (step.done !== true) reading.blocks.push(copied(step.value));
          else {
            expect(Uint8Array.from(Buffer.concat(reading.blocks))).toEqual(reading.expected);
            close(reading);
          }
        };
        const expected = () => bytesOf(keyspaceOf(done), blockBytes);
        for (const [what, number] of acts) {
          const reading = readings[number];
          if (what === 'open' && readings.length < 4) {
            const view = keyspace.view();
            const slices = dumpKeyspace(view, blockBytes);
            readings.push({ view, slices, blocks: [], expected: expected() });
          } else if (what === 'slice' && reading !== undefined) slice(reading);
          else if (what === 'giveUp' && reading !== undefined) close(reading);
          else if (what === 'write') {
            const next = waiting.next();
            if (next.done === true) continue;
            done.push(next.value);
            keyspace.apply(done.length, 1, encodeProposal(next.value).data);
          }
        }
        for (let reading = readings[0]; reading !== undefined; reading = readings[0]) slice(reading);
        expect(bytesOf(keyspace, blockBytes)).toEqual(expected());
      },
      { runs: 300 },
    );
  });

  it('[K6] a view with many later keys before its next one goes on in turns', () => {
    const keyspace = keyspaceOf([set('a', '1'), set('z', '2')]);
    const view = keyspace.view();
    const slices = dumpKeyspace(view, 12);
    const expected = bytesOf(keyspaceOf([set('a', '1'), set('z', '2')]), 12);
    const blocks = [1, 2].map(() => copied(slices.next().value ?? new Uint8Array(0)));
    for (let at = 0; at < 10_000; at++) {
      keyspace.apply(3 + at, 1, encodeProposal(set(`m${at}`, 'later')).data);
    }
    const rest = Array.from(slices, copied);
    expect(rest.filter((block) => block.length === 0)).toHaveLength(2);
    expect(Uint8Array.from(Buffer.concat([...blocks, ...rest]))).toEqual(expected);
  });

  it('[K6] two keyspaces restored from one stream go separate ways', () => {
    const source = keyspaceOf([set('a', '1')]);
    const [left, right] = [new Keyspace(), new Keyspace()];
    left.restore(stateOf(source));
    right.restore(stateOf(source));
    left.apply(2, 1, encodeProposal(set('a', 'left')).data);
    right.apply(2, 1, encodeProposal(set('a', 'right')).data);
    right.apply(3, 1, encodeProposal(set('b', 'right')).data);
    expect([left.get('a')?.value, right.get('a')?.value]).toEqual(['left', 'right']);
    expect(left.status().keys).toBe(1);
    expect(source.get('a')?.value).toBe('1');
  });

  it('restoring replaces what was there', () => {
    const keyspace = keyspaceOf([set('old', '1'), set('a', 'old')]);
    keyspace.restore(stateOf(keyspaceOf([set('a', 'new'), set('c', '3'), set('d', '4')])));
    expect(keyspace.get('old')).toBeNull();
    expect(keyspace.get('a')?.value).toBe('new');
    expect(keyspace.status()).toEqual({ keys: 3, bytes: 8, revision: 3 });
    expect(keyspace.lastApplied).toBe(3);
  });

  it('blocks are as long as asked for, but for a record that is longer', () => {
    const values = Array.from({ length: 100 }, (_, at) => set(`k${at}`, 'x'.repeat(at === 50 ? 5000 : 40)));
    const blocks = Array.from(dumpKeyspace(keyspaceOf(values).view(), 500), copied);
    expect(blocks.filter((block) => block.length > 600)).toHaveLength(1);
    expect(blocks.length).toBeGreaterThan(8);
  });

  it('a stream that is cut short anywhere is refused', () => {
    const session = { client: '0123456789abcdef', sequence: 2 };
    const bytes = bytesOf(keyspaceOf([set('a', '1'), { ...set('b', '2'), session }]), 16);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => restored(bytes.subarray(0, length), 1000)).toThrow(DecodeError);
    }
    expect(() => restored(Uint8Array.from([...bytes, 0]))).toThrow(DecodeError);
  });

  it('damaged and random streams throw nothing but DecodeError', () => {
    const survive = (bytes: Uint8Array) => {
      try {
        restored(bytes, 50);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    };
    property(damaged(log.map((proposals) => bytesOf(keyspaceOf(proposals), 64))), survive, { runs: 200 });
    property(fc.uint8Array({ maxLength: 100 }), survive);
  });

  it('keys that do not rise, and counts that do not add up, are refused', () => {
    const bytes = bytesOf(keyspaceOf([set('a', '1'), set('b', '2')]));
    const at = Buffer.from(bytes).indexOf('0162', 'hex');
    for (const [offset, value] of [
      [at + 1, 0x61],
      [5 + 8 + 1 + 12, 3],
      [5 + 8 + 1 + 12 + 8, 9],
    ] as const) {
      const broken = Uint8Array.from(bytes);
      broken[offset] = value;
      expect(() => restored(broken)).toThrow(DecodeError);
    }
  });

  it('a record from after its keyspace is refused: views of it would leave the record out', () => {
    const bytes = bytesOf(keyspaceOf([set('a', '1'), set('b', '2')]));
    const at = Buffer.from(bytes).indexOf('0162', 'hex') - 6;
    expect(bytes[at]).toBe(2);
    const broken = Uint8Array.from(bytes);
    broken[at] = 3;
    expect(() => restored(broken)).toThrow(DecodeError);
  });

  it('an announced block takes no memory before its bytes come', () => {
    const restorer = new KeyspaceRestorer();
    restorer.push(Uint8Array.from([0xff, 0xff, 0xff, 0x07, 1, 2, 3]));
    expect(() => new KeyspaceRestorer().push(Uint8Array.from([0xff, 0xff, 0xff, 0xff, 1]))).toThrow(
      DecodeError,
    );
  });
});
