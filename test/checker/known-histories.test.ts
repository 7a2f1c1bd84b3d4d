// Histories whose verdict is known, told by hand: each anomaly is caught, and nothing innocent is.
import { describe, expect, test } from 'vitest';
import { checkHistory, type Verdict } from '../../engine/checker/check.ts';
import type { HistoryFunction, OperationEntry } from '../../engine/checker/history.ts';
import type { JsonValue } from '../../engine/checker/json-values.ts';
import { historyFromEntries } from '../../engine/checker/parse-history.ts';

const call = (
  process: string,
  f: HistoryFunction,
  value?: JsonValue,
  key: JsonValue = 'x',
): OperationEntry => {
  return { process, type: 'invoke', f, key, ...(value === undefined ? {} : { value }) };
};
const ok = (process: string, value?: JsonValue): OperationEntry => {
  return { process, type: 'ok', ...(value === undefined ? {} : { value }) };
};
const info = (process: string): OperationEntry => ({ process, type: 'info' });
const fail = (process: string): OperationEntry => ({ process, type: 'fail' });

/** One after the other. */
const wrote = (process: string, value: JsonValue) => [call(process, 'write', value), ok(process)];
const read = (process: string, value: JsonValue) => [call(process, 'read'), ok(process, value)];
const swapped = (process: string, expected: JsonValue, next: JsonValue) => {
  return [call(process, 'cas', [expected, next]), ok(process)];
};
const appended = (process: string, element: JsonValue) => [call(process, 'append', element), ok(process)];

function judge(...entries: (OperationEntry | OperationEntry[])[]): Verdict {
  const parsed = historyFromEntries(entries.flat());
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return checkHistory(parsed.history);
}

const shownBy = (verdict: Verdict) => verdict.violation?.operations.map(({ f, value }) => [f, value]);

describe('registers', () => {
  test('nothing at all is linearizable', () => {
    expect(judge()).toMatchObject({ result: 'ok', counts: { operations: 0, keys: 0 } });
  });

  test('a missing key reads null', () => {
    expect(judge(read('a', null), wrote('a', 1), read('b', 1)).result).toBe('ok');
    expect(judge(wrote('a', 1), read('b', null)).result).toBe('violation');
  });

  test('without a key there is one register', () => {
    const write: OperationEntry = { process: 0, type: 'invoke', f: 'write', value: 1 };
    const verdict = judge([write, { process: 0, type: 'ok' }, { process: 0, type: 'invoke', f: 'read' }]);
    expect(verdict).toMatchObject({ result: 'ok', counts: { keys: 1 } });
  });

  test('concurrent reads may disagree while a write is under way', () => {
    const verdict = judge(call('w', 'write', 1), read('a', null), read('b', 1), ok('w'));
    expect(verdict.result).toBe('ok');
  });

  test('new, then old: the write is seen and then unseen', () => {
    const verdict = judge(call('w', 'write', 1), read('a', 1), read('b', null), ok('w'));
    expect(verdict.result).toBe('violation');
    expect(verdict.violation?.failing).toMatchObject({ process: 'b', f: 'read', value: null });
  });

  test('a stale read is shown by the write it repeats, the write it missed, and itself', () => {
    const before = Array.from({ length: 30 }, (_, value) => [
      ...wrote('a', value),
      ...read('b', value),
    ]).flat();
    const verdict = judge(
      before,
      wrote('a', 'old'),
      read('b', 'old'),
      wrote('a', 'new'),
      read('b', 'old'),
      wrote('a', 9),
    );
    expect(verdict.result).toBe('violation');
    expect(shownBy(verdict)).toEqual([
      ['write', 'old'],
      ['write', 'new'],
      ['read', 'old'],
    ]);
    expect(verdict.violation).toMatchObject({ operationCountBefore: 65, partialState: 'new' });
    expect(verdict.reason).toContain('no order explains process b read → "old" (line 128)');
  });

  test('a read from the future', () => {
    const verdict = judge(read('a', 7), wrote('b', 7));
    expect(verdict.result).toBe('violation');
    expect(verdict.reason).toContain(
      'process a read → 7 (line 2) saw 7 before it was written: process b write 7 (line 4)',
    );
  });

  test('a value that nobody wrote', () => {
    expect(judge(wrote('a', 1), read('b', 2)).reason).toContain('saw 2, which nobody wrote');
  });

  test('what failed did not happen', () => {
    expect(judge(wrote('a', 1), call('b', 'write', 2), fail('b'), read('a', 1)).result).toBe('ok');
    const verdict = judge(call('b', 'write', 2), fail('b'), read('a', 2));
    expect(verdict.result).toBe('violation');
    expect(verdict.reason).toContain('saw 2, whose only write failed');
  });

  test('values are equal by content', () => {
    expect(judge(wrote('a', { p: 1, q: [2] }), read('b', { q: [2], p: 1 })).result).toBe('ok');
    expect(judge(wrote('a', 1), read('b', '1')).result).toBe('violation');
  });

  test('keys are judged alone, and the smallest failing one is shown', () => {
    const onKey = (key: string, entries: OperationEntry[]) =>
      entries.map((entry) => (entry.type === 'invoke' ? { ...entry, key } : entry));
    const verdict = judge(
      onKey('long', [...wrote('a', 1), ...wrote('a', 2), ...read('a', 1)]),
      onKey('fine', [...wrote('a', 1), ...read('a', 1)]),
      onKey('short', [...wrote('a', 1), ...read('a', null)]),
    );
    expect(verdict.keys.map(({ key, result }) => [key, result])).toEqual([
      ['"long"', 'violation'],
      ['"fine"', 'ok'],
      ['"short"', 'violation'],
    ]);
    expect(verdict.violation).toMatchObject({ key: '"short"', otherKeys: ['"long"'] });
  });
});

describe('unknown outcomes', () => {
  test('an unknown write may show up late', () => {
    const verdict = judge(call('u', 'write', 5), info('u'), wrote('a', 1), read('b', 1), read('b', 5));
    expect(verdict.result).toBe('ok');
    expect(verdict.keys[0]?.order.map(({ f, value }) => [f, value])).toEqual([
      ['write', 1],
      ['read', 1],
      ['write', 5],
      ['read', 5],
    ]);
  });

  test('or never', () => {
    const verdict = judge(call('u', 'write', 5), info('u'), wrote('a', 1), read('b', 1));
    expect(verdict.keys[0]?.order).toHaveLength(2);
  });

  test('a missing reply is the same', () => {
    expect(judge(call('u', 'write', 5), wrote('a', 1), read('b', 1), read('b', 5)).result).toBe('ok');
  });

  test('but not before its call', () => {
    expect(judge(read('b', 5), call('u', 'write', 5), info('u')).result).toBe('violation');
  });

  test('and only once: seen, unseen and seen again', () => {
    const history = [
      call('u', 'write', 5),
      info('u'),
      wrote('a', 1),
      read('b', 5),
      wrote('a', 2),
      read('b', 5),
    ].flat();
    const verdict = judge(history);
    expect(verdict.result).toBe('violation');
    expect(judge([call('v', 'write', 5), info('v'), ...history]).result).toBe('ok');
  });

  test('seen, then unseen without another write', () => {
    const verdict = judge(wrote('a', 1), call('u', 'write', 5), info('u'), read('b', 5), read('b', 1));
    expect(verdict.result).toBe('violation');
    expect(verdict.violation?.operations.map(({ outcome }) => outcome)).toContain('unknown');
  });

  test('a chain of unknown cas may carry a value', () => {
    const chain = [call('u', 'cas', [1, 2]), info('u'), call('v', 'cas', [2, 3]), info('v')];
    expect(judge(wrote('a', 1), chain, read('b', 1), read('b', 3)).result).toBe('ok');
    expect(judge(wrote('a', 1), chain, read('b', 3), read('b', 2)).result).toBe('violation');
  });

  test('which of two is used up first can matter', () => {
    const blind = [call('u', 'write', 1), info('u')];
    const swap = [call('v', 'cas', [0, 1]), info('v')];
    // Only the swap may explain the first 1: the second one has to overwrite 9 blindly.
    const seen = [...read('b', 1), ...wrote('a', 9), ...read('b', 1)];
    expect(judge(wrote('a', 0), blind, swap, seen).result).toBe('ok');
    expect(judge(wrote('a', 0), swap, blind, seen).result).toBe('ok');
    expect(judge(wrote('a', 0), blind, seen).result).toBe('violation');
  });

  test('an unknown read says nothing', () => {
    expect(judge(wrote('a', 1), call('u', 'read'), info('u'), read('b', 1)).keys[0]?.order).toHaveLength(2);
  });

  test('a hundred of them are no trouble', () => {
    const unknown = Array.from({ length: 100 }, (_, n) => [
      call(`u${n}`, 'write', n % 4),
      info(`u${n}`),
    ]).flat();
    const seen = Array.from({ length: 25 }, () => [0, 1, 2, 3].flatMap((value) => read('b', value))).flat();
    expect(judge(unknown, seen)).toMatchObject({ result: 'ok' });
    const verdict = judge(unknown, seen, read('b', 0));
    expect(verdict.result).toBe('violation');
    expect(verdict.counts.steps).toBeLessThan(1000);
  });
});

describe('cas', () => {
  test('happens only where it finds what it expects', () => {
    expect(judge(wrote('a', 1), swapped('b', 1, 2), read('a', 2)).result).toBe('ok');
    expect(judge(wrote('a', 1), swapped('b', 3, 2)).result).toBe('violation');
    expect(judge(swapped('b', null, 2), read('a', 2)).result).toBe('ok');
  });

  test('two concurrent ones cannot both succeed', () => {
    const verdict = judge(
      wrote('a', 1),
      call('b', 'cas', [1, 2]),
      call('c', 'cas', [1, 3]),
      ok('b'),
      ok('c'),
    );
    expect(verdict.result).toBe('violation');
    expect(shownBy(verdict)).toHaveLength(3);
  });

  test('a lost update: both read 1, both add one, both succeed', () => {
    const verdict = judge(
      wrote('a', 1),
      read('b', 1),
      read('c', 1),
      swapped('b', 1, 2),
      swapped('c', 1, 2),
      read('a', 2),
    );
    expect(verdict.result).toBe('violation');
    expect(
      judge(wrote('a', 1), swapped('b', 1, 2), call('c', 'cas', [1, 2]), fail('c'), read('a', 2)).result,
    ).toBe('ok');
  });

  test('an unknown one may be what the next one finds', () => {
    expect(judge(call('u', 'cas', [null, 1]), info('u'), swapped('b', 1, 2)).result).toBe('ok');
  });
});

describe('append', () => {
  test('a read gives the elements in the order of their appends', () => {
    expect(judge(appended('a', 1), appended('b', 2), read('c', [1, 2])).result).toBe('ok');
    const verdict = judge(appended('a', 1), appended('b', 2), read('c', [2, 1]));
    expect(verdict.result).toBe('violation');
    expect(verdict.keys[0]?.model).toBe('append');
  });

  test('concurrent appends come in any order, but one', () => {
    const appends = [call('a', 'append', 1), call('b', 'append', 2), ok('a'), ok('b')];
    expect(judge(appends, read('c', [2, 1])).result).toBe('ok');
    expect(judge(appends, read('c', [2, 1]), read('d', [1, 2])).result).toBe('violation');
  });

  test('missing, null and the empty list are one', () => {
    expect(judge(read('a', null), read('a', []), appended('b', 1), read('a', [1])).result).toBe('ok');
    expect(judge(appended('b', 1), read('a', [])).result).toBe('violation');
  });

  test('an element lost, doubled, or out of nowhere', () => {
    expect(judge(appended('a', 1), appended('a', 2), read('b', [2])).result).toBe('violation');
    expect(judge(appended('a', 1), read('b', [1, 1])).result).toBe('violation');
    expect(judge(appended('a', 1), read('b', [1, 3])).result).toBe('violation');
    expect(judge(appended('a', 1), read('b', 1)).result).toBe('violation');
  });

  test('an unknown append may show up late or never, but once', () => {
    const unknown = [call('u', 'append', 9), info('u')];
    expect(judge(unknown, appended('a', 1), read('b', [1]), read('b', [1, 9])).result).toBe('ok');
    expect(judge(unknown, appended('a', 1), read('b', [1])).result).toBe('ok');
    expect(judge(unknown, appended('a', 1), read('b', [9, 1, 9])).result).toBe('violation');
    expect(judge(unknown, appended('a', 1), read('b', [9, 1]), read('b', [1])).result).toBe('violation');
  });

  test('two elements show a reordering, however long the list', () => {
    const elements = Array.from({ length: 60 }, (_, n) => n);
    const wrong = elements.with(40, 41).with(41, 40);
    const verdict = judge(
      elements.flatMap((element) => appended('a', element)),
      read('b', wrong),
    );
    expect(verdict.violation?.operations.length).toBeLessThanOrEqual(3);
    expect(verdict.violation?.struckElementCount).toBeGreaterThan(55);
  });

  test('a key that is also written can hold the same value again', () => {
    const again = [...wrote('b', 'v'), ...wrote('b', [7]), ...wrote('b', 'v'), ...read('c', 'v')];
    expect(judge(appended('a', 1), again).result).toBe('ok');
    expect(judge(appended('a', 1), again, read('c', [7])).result).toBe('violation');
  });

  test('a key that is also written as a whole', () => {
    expect(judge(appended('a', 1), wrote('b', [7]), appended('a', 2), read('c', [7, 2])).result).toBe('ok');
    expect(judge(appended('a', 1), wrote('b', [7]), appended('a', 2), read('c', [1, 2])).result).toBe(
      'violation',
    );
    expect(judge(wrote('b', 'text'), appended('a', 2)).result).toBe('violation');
  });
});
