import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteArena, NO_ADDRESS } from '../../engine/kv/byte-arena.ts';
import { HASH_SEED_DEFAULT, installHashSeed } from '../../engine/kv/key-index.ts';
import {
  emptyFields,
  lengthsAndBytes,
  type RecordFields,
  readRecord,
  recordBytes,
  writeRecord,
} from '../../engine/kv/record-bytes.ts';
import { Records } from '../../engine/kv/records.ts';
import { writeVarint } from '../../engine/protocol/byte-reader.ts';
import { bytesFromByteString, writeByteString } from '../../engine/protocol/byte-string.ts';
import { property } from '../protocol/property.ts';

interface Stored {
  value: string;
  kind: 0 | 1;
  revision: number;
  expiresAt?: number;
}

function fieldsOf(key: string, { value, kind, revision, expiresAt = 0 }: Stored): RecordFields {
  // Somewhere in the middle of other bytes.
  const bytes = new Uint8Array(2 + lengthsAndBytes(key.length, value.length) + 1).fill(0xaa);
  const keyStart = writeVarint(bytes, 2, key.length);
  const keyEnd = writeByteString(bytes, keyStart, key);
  const valueStart = writeVarint(bytes, keyEnd, value.length);
  const valueEnd = writeByteString(bytes, valueStart, value);
  return { bytes, kind, revision, expiresAt, lengthsStart: 2, keyStart, keyEnd, valueStart, valueEnd };
}

function remove(records: Records, key: string): void {
  records.remove(bytesFromByteString(key), 0, key.length);
}

function contentOf(records: Records): [string, Stored][] {
  const content: [string, Stored][] = [];
  for (let position = records.seek(''); ; position = records.next(position)) {
    const address = records.at(position);
    if (address === NO_ADDRESS) return content;
    content.push([records.keyAt(address), records.recordAt(address)]);
  }
}

function sorted(model: Map<string, Stored>): [string, Stored][] {
  return [...model].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Lengths on both sides of what a length of one byte says, and of the slots and pages. */
const text = fc
  .tuple(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2, 5, 15, 16, 40, 127, 128, 300, 520, 5000, 70_000))
  .map(([code, length]) => String.fromCharCode(code).repeat(length));
const key = fc.oneof(
  fc.nat({ max: 30 }).map((number) => `k${number}`),
  fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 3 }),
  fc.nat({ max: 3 }).map((number) => `${'long'.repeat(60)}${number}`),
);

describe('records', () => {
  it('are what a map would hold, in the order of their keys, whatever is put and removed', () => {
    const act = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          what: fc.constant('put' as const),
          key,
          value: text,
          end: fc.nat({ max: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('remove' as const), key }) },
    );
    property(fc.array(act, { maxLength: 200 }), (acts) => {
      const [records, model] = [new Records(), new Map<string, Stored>()];
      let bytes = 0;
      for (const [at, each] of acts.entries()) {
        const before = model.get(each.key);
        if (before !== undefined) bytes -= each.key.length + before.value.length;
        if (each.what === 'put') {
          const stored: Stored = { value: each.value, kind: (at % 2) as 0 | 1, revision: at + 1 };
          if (each.end > 0) stored.expiresAt = each.end;
          records.put(fieldsOf(each.key, stored));
          model.set(each.key, stored);
          bytes += each.key.length + each.value.length;
        } else if (before !== undefined) {
          remove(records, each.key);
          model.delete(each.key);
        }
        expect(records.find(each.key) === NO_ADDRESS).toBe(!model.has(each.key));
      }
      expect(contentOf(records)).toEqual(sorted(model));
      expect([records.size, records.bytes]).toEqual([model.size, bytes]);
      const ending = [...model.values()].filter(({ expiresAt }) => expiresAt !== undefined);
      expect(records.ends.size).toBe(ending.length);
      for (const each of model.keys()) {
        const address = records.find(each);
        expect(records.recordAt(address)).toEqual(model.get(each));
        expect(records.keyAt(records.at(records.seek(each)))).toBe(each);
      }
    });
  });

  it('in tens of thousands, rising, falling and mixed, and removed again in another order', () => {
    const count = 20_000;
    const name = (number: number) => `key:${String(number).padStart(8, '0')}`;
    const orders = [(at: number) => at, (at: number) => count - 1 - at, (at: number) => (at * 7919) % count];
    for (const [nth, order] of orders.entries()) {
      const records = new Records();
      for (let at = 0; at < count; at++) {
        records.put(fieldsOf(name(order(at)), { value: 'v', kind: 0, revision: at + 1 }));
      }
      expect(contentOf(records).map(([each]) => each)).toEqual(
        Array.from({ length: count }, (_, at) => name(at)),
      );
      const removing = orders[(nth + 1) % orders.length] ?? order;
      for (let at = 0; at < count; at++) {
        remove(records, name(removing(at)));
        if (at % 1999 === 0) expect(records.size).toBe(count - 1 - at);
      }
      expect(contentOf(records)).toEqual([]);
      expect([records.size, records.bytes]).toEqual([0, 0]);
      // One page of the one size that there was stays for the next record.
      expect(records.reservedBytes).toBeLessThanOrEqual(1024 * 1024);
    }
  });

  /** As a snapshot has it. */
  function append(records: Records, name: string, stored: Stored): boolean {
    const fields = fieldsOf(name, stored);
    const bytes = new Uint8Array(recordBytes(fields) + 3);
    const laid = emptyFields();
    writeRecord(bytes, 3, fields);
    readRecord(bytes, 3, laid);
    return records.append(3, laid);
  }

  it('that are appended must rise, and are as if they were put', () => {
    const records = new Records();
    const stored = (at: number): Stored => ({ value: String(at), kind: 0, revision: 1 });
    for (let at = 0; at < 3000; at++) {
      const name = `k${String(at).padStart(5, '0')}`;
      expect(append(records, name, stored(at))).toBe(true);
      expect(append(records, name, stored(at))).toBe(false);
    }
    records.put(fieldsOf('k00100x', { value: 'between', kind: 0, revision: 2 }));
    expect(
      contentOf(records)
        .map(([each]) => each)
        .slice(100, 103),
    ).toEqual(['k00100', 'k00100x', 'k00101']);
    expect(records.size).toBe(3001);
  });

  it('are found, replaced and removed whatever was appended, looked for and put before, in any order', () =>
    property(
      fc.array(fc.tuple(fc.constantFrom('append', 'append', 'append', 'find', 'put', 'remove'), fc.nat()), {
        maxLength: 400,
      }),
      (steps) => {
        const records = new Records();
        const model = new Map<string, Stored>();
        let last = 0;
        for (const [what, number] of steps) {
          last = what === 'append' ? last + 1 + (number % 3) : last;
          const name = String(what === 'append' ? last : number % (last + 1)).padStart(6, '0');
          const stored: Stored = { value: `${what}${number}`, kind: 0, revision: 1 };
          const known = model.get(name);
          if (what === 'append') expect(append(records, name, stored)).toBe(known === undefined);
          else if (what === 'put') records.put(fieldsOf(name, stored));
          else if (what === 'remove' && known !== undefined) remove(records, name);
          const address = what === 'find' ? records.find(name) : NO_ADDRESS;
          if (what === 'find') {
            expect(address === NO_ADDRESS ? undefined : records.recordAt(address)).toEqual(known);
          } else if (what === 'remove') {
            model.delete(name);
          } else if (what === 'put' || known === undefined) {
            model.set(name, stored);
          }
        }
        expect(contentOf(records)).toEqual(sorted(model));
        expect(records.size).toBe(model.size);
        for (const [name, stored] of model) expect(records.recordAt(records.find(name))).toEqual(stored);
      },
    ));

  it('are found and sorted alike whatever seed their hashes have', () => {
    const contents = [HASH_SEED_DEFAULT, 0, 1, 0xffff_ffff].map((seed) => {
      installHashSeed(seed);
      const records = new Records();
      for (let at = 0; at < 2000; at++) {
        records.put(fieldsOf(`k${(at * 7919) % 1000}`, { value: String(at), kind: 0, revision: at + 1 }));
        if (at % 3 === 0) remove(records, `k${(at * 7919) % 1000}`);
      }
      for (const [name, stored] of contentOf(records)) {
        expect(records.recordAt(records.find(name))).toEqual(stored);
      }
      return contentOf(records);
    });
    installHashSeed(HASH_SEED_DEFAULT);
    for (const content of contents) expect(content).toEqual(contents[0]);
  });

  it('are drawn evenly', () => {
    const records = new Records();
    for (let at = 0; at < 900; at++) records.put(fieldsOf(`k${at}`, { value: '', kind: 0, revision: 1 }));
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return seed / 0x8000_0000;
    };
    const drawn = new Map<string, number>();
    for (let draws = 0; draws < 200_000; draws++) {
      const address = records.draw(random);
      if (address === NO_ADDRESS) continue;
      const each = records.keyAt(address);
      drawn.set(each, (drawn.get(each) ?? 0) + 1);
    }
    expect(drawn.size).toBe(900);
    const counts = [...drawn.values()];
    const mean = counts.reduce((sum, each) => sum + each) / counts.length;
    expect(mean).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(2 * mean);
  });
});

describe('the arena', () => {
  it('gives out slots that do not overlap, and pages back', () => {
    const act = fc.tuple(
      fc.constantFrom(1, 16, 17, 100, 512, 513, 4000, 60_000, 70_000),
      fc.nat({ max: 99 }),
    );
    property(fc.array(act, { maxLength: 300 }), (acts) => {
      const arena = new ByteArena();
      const slots = new Map<number, { length: number; mark: number }>();
      for (const [at, [length, choice]] of acts.entries()) {
        const addresses = [...slots.keys()];
        if (choice < 40 && addresses.length > 0) {
          const address = addresses[choice % addresses.length] ?? 0;
          arena.free(address);
          slots.delete(address);
          continue;
        }
        const address = arena.allocate(length);
        expect(address).not.toBe(NO_ADDRESS);
        expect(slots.has(address)).toBe(false);
        expect(arena.fits(address, length)).toBe(true);
        const mark = at & 0xff;
        arena.bytesOf(address).fill(mark, arena.offsetOf(address), arena.offsetOf(address) + length);
        slots.set(address, { length, mark });
      }
      let used = 0;
      for (const [address, { length, mark }] of slots) {
        const from = arena.offsetOf(address);
        const bytes = arena.bytesOf(address).subarray(from, from + length);
        expect(bytes.length).toBe(length);
        expect(bytes.every((byte) => byte === mark)).toBe(true);
        used += length;
      }
      expect(arena.reservedBytes).toBeGreaterThanOrEqual(used);
      for (const address of slots.keys()) arena.free(address);
      // At most a page of each size is kept.
      expect(arena.reservedBytes).toBeLessThan(9 * 128 * 1024);
    });
  });
});
