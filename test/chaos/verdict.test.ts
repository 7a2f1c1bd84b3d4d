// Can the verdict fail? Histories that no sound cluster gives, judged as a run judges its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkCounters, compareStates, findLostWrites } from '../../engine/chaos/final-checks.ts';
import { Generation, judge } from '../../engine/chaos/generation.ts';
import { HistoryFile } from '../../engine/chaos/history-file.ts';
import { Tally } from '../../engine/chaos/tally.ts';
import { CounterChecker } from '../../engine/simulator/checkers/counters.ts';

let folder = '';
let history: HistoryFile;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorumlab-chaos-test-'));
  history = await HistoryFile.create(join(folder, 'history.jsonl'));
});

afterEach(async () => {
  await history.close();
  await rm(folder, { recursive: true, force: true });
});

/** Writes of the key's values one after the other, each acknowledged unless it is called unknown. */
function writes(
  generation: Generation,
  key: string,
  values: readonly string[],
  unknown: readonly string[] = [],
) {
  let atMs = 0;
  for (const value of values) {
    const call = generation.invoke({ process: `c1/${key}`, f: 'write', key, value, callMs: atMs });
    call.reply = { type: unknown.includes(value) ? 'info' : 'ok', atMs: atMs + 1 };
    atMs += 2;
  }
}

describe('writes in the final state', () => {
  async function lostIn(state: Record<string, string>, unknown: readonly string[] = []): Promise<number> {
    const first = new Generation(1, 0);
    writes(first, first.register(0), ['a', 'b'], unknown);
    writes(first, first.register(1), ['c']);
    const second = new Generation(2, 0);
    writes(second, second.register(0), ['d']);
    for (const generation of [first, second]) {
      expect(judge(generation.entries()).result).toBe('ok');
      await history.append(generation.number, generation.entries());
    }
    const found = await findLostWrites(history, { state: new Map(Object.entries(state)), atMs: 100 });
    expect(found.keys).toBe(3);
    expect(found.undecided).toBe(0);
    expect(found.examples.length > 0).toBe(found.lost > 0);
    return found.lost;
  }

  const whole = { 'g1/k0': 'b', 'g1/k1': 'c', 'g2/k0': 'd' };

  it('are all there', async () => {
    expect(await lostIn(whole)).toBe(0);
  });

  it('an acknowledged one that is gone is lost', async () => {
    const { 'g1/k1': _gone, ...rest } = whole;
    expect(await lostIn(rest)).toBe(1);
  });

  it('so is one of which only the value before is left', async () => {
    expect(await lostIn({ ...whole, 'g1/k0': 'a' })).toBe(1);
  });

  it('unless nobody was told that it had happened', async () => {
    expect(await lostIn({ ...whole, 'g1/k0': 'a' }, ['b'])).toBe(0);
  });

  it('a value that nobody wrote is no state either', async () => {
    expect(await lostIn({ ...whole, 'g2/k0': 'x' })).toBe(1);
  });
});

describe('a generation', () => {
  it('with a read of an old value is in violation, and says of which key', () => {
    const generation = new Generation(3, 0);
    writes(generation, generation.register(4), ['a', 'b']);
    const read = generation.invoke({ process: 'c2', f: 'read', key: 'g3/k4', value: 'a', callMs: 10 });
    read.reply = { type: 'ok', atMs: 11 };
    const { result, keys } = judge(generation.entries());
    expect(result).toBe('violation');
    expect(keys).toEqual(['g3/k4']);
  });

  it('comes back from the file as it was written', async () => {
    const generation = new Generation(1, 0);
    writes(generation, generation.register(0), ['ä', 'b']);
    await history.append(1, generation.entries());
    await history.append(0, [{ type: 'fault', name: 'kill', target: 'n1', time: 3 }]);
    await history.append(2, generation.entries().slice(0, 2));
    const found: unknown[] = [];
    for await (const block of history.blocks()) found.push(block);
    expect(found).toEqual([
      { generation: 1, entries: generation.entries() },
      { generation: 2, entries: generation.entries().slice(0, 2) },
    ]);
  });
});

describe('counters, states, pauses', () => {
  it('an acknowledged increment that is not in the final state is found', () => {
    const counters = new CounterChecker();
    for (let n = 1; n <= 3; n++) counters.answered({ key: 'g1/n0', call: counters.call('g1/n0') }, String(n));
    expect(checkCounters(counters, new Map([['g1/n0', '3']]))).toBeNull();
    expect(checkCounters(counters, new Map([['g1/n0', '2']]))).toContain('g1/n0 is 2');
    expect(checkCounters(counters, new Map([['g1/n0', '4']]))).toContain('g1/n0 is 4');
  });

  it('states that differ are told with the key and both values', () => {
    const first = { name: 'n1', state: new Map([['a', '1']]) };
    expect(compareStates(first, { name: 'n2', state: new Map([['a', '1']]) })).toBeNull();
    const second = { name: 'n2', state: new Map([['b', '2']]) };
    expect(compareStates(first, second)).toBe(
      '2 keys differ between n1 and n2: a is 1 on n1 and nothing on n2',
    );
  });

  it('a pause of the writes is measured, and how much of it a majority was well', () => {
    const tally = new Tally();
    tally.ended('set', 'ok', { atMs: 1000, latencyMs: 5 });
    tally.watched({ elapsedMs: 300, isMajorityWell: false });
    tally.watched({ elapsedMs: 200, isMajorityWell: true });
    tally.ended('read', 'ok', { atMs: 1500, latencyMs: 5 });
    expect(tally.missingMs).toBe(200);
    tally.ended('incr', 'ok', { atMs: 1600, latencyMs: 5 });
    expect(tally.missingMs).toBe(0);
    expect(tally.pauses).toEqual([{ fromMs: 1000, untilMs: 1600, wellMs: 200 }]);
    expect(tally.acknowledgedWrites).toBe(2);
  });
});
