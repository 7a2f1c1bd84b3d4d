// Is every good line understood, and every bad one refused by its number with what was expected?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkText } from '../../engine/checker/check-text.ts';
import type { History } from '../../engine/checker/history.ts';
import { historyFromEntries, parseHistory } from '../../engine/checker/parse-history.ts';

function parse(...lines: (object | string)[]): History {
  const parsed = parseHistory(toText(lines));
  if (!parsed.ok) throw new Error(parsed.errors.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  return parsed.history;
}

function errorsOf(...lines: (object | string)[]): string[] {
  const parsed = parseHistory(toText(lines));
  return parsed.ok ? [] : parsed.errors.map(({ line, message }) => `${line}: ${message}`);
}

function toText(lines: readonly (object | string)[]): string {
  return lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
}

const call = { process: 0, type: 'invoke', f: 'write', key: 'x', value: 1 };
const reply = { process: 0, type: 'ok', f: 'write', key: 'x', value: 1 };

describe('what is read', () => {
  test('a call and its reply are one operation', () => {
    const { operations, isTimed } = parse({ ...call, time: 5 }, { ...reply, time: 9 });
    expect(operations).toEqual([
      {
        index: 0,
        process: '0',
        f: 'write',
        key: '"x"',
        value: 1,
        outcome: 'ok',
        callPosition: 0,
        returnPosition: 1,
        callTime: 5,
        returnTime: 9,
        callLine: 1,
        returnLine: 2,
      },
    ]);
    expect(isTimed).toBe(true);
  });

  test('info and a missing reply are unknown, fail is known', () => {
    const { operations } = parse(
      { ...call, process: 'a' },
      { process: 'a', type: 'info' },
      { ...call, process: 'b' },
      { process: 'b', type: 'fail' },
      { ...call, process: 'c' },
    );
    expect(operations.map(({ outcome, returnPosition }) => [outcome, returnPosition])).toEqual([
      ['unknown', Number.POSITIVE_INFINITY],
      ['fail', 3],
      ['unknown', Number.POSITIVE_INFINITY],
    ]);
  });

  test('the value of a read stands on its ok', () => {
    const read = { process: 0, type: 'invoke', f: 'read', key: 'x', value: 'ignored' };
    expect(parse(read, { process: 0, type: 'ok', value: [1, { a: 2 }] }).operations[0]?.value).toEqual([
      1,
      { a: 2 },
    ]);
    expect(parse(read, { process: 0, type: 'fail', value: 3 }).operations[0]?.value).toBe(null);
  });

  test('blank lines, carriage returns and a byte order mark are no lines', () => {
    const { operations } = parse(`\uFEFF${JSON.stringify(call)}\r`, '', '   ', `${JSON.stringify(reply)}\r`);
    expect(operations.map(({ callLine, returnLine }) => [callLine, returnLine])).toEqual([[1, 4]]);
  });

  test('process 1 and process "1" are two', () => {
    expect(parse({ ...call, process: 1 }, { ...call, process: '1' }).operations).toHaveLength(2);
  });

  test('a key may be any JSON, compared by content', () => {
    const { operations } = parse({ ...call, key: { b: 1, a: 2 } }, { ...reply, key: { a: 2, b: 1 } });
    expect(operations[0]?.key).toBe('{"a":2,"b":1}');
  });

  test('a fault is a mark and no operation', () => {
    const { faults, operations } = parse(
      { ...call, time: 10 },
      { type: 'fault', name: 'kill', target: 'n1', time: 12, until: 30 },
      { ...reply, time: 20 },
    );
    expect(operations).toHaveLength(1);
    expect(faults).toEqual([
      { name: 'kill', target: 'n1', position: 1, untilPosition: 2, time: 12, until: 30, line: 2 },
    ]);
  });

  test('without times a fault stands where its line stands', () => {
    expect(parse(call, { type: 'fault', name: 'cut' }, reply).faults[0]).toMatchObject({
      position: 1,
      time: null,
    });
  });

  test('entries in memory are the same as text', () => {
    const entries = [
      { process: 0, type: 'invoke', f: 'write', key: 'x', value: 1 },
      { process: 0, type: 'ok' },
    ] as const;
    expect(historyFromEntries(entries)).toEqual(parseHistory(toText(entries)));
  });
});

describe('the order of lines', () => {
  const early = { process: 1, type: 'invoke', f: 'read', key: 'x', time: 1 };

  test('times sort the lines, equal times keep their order', () => {
    const { operations } = parse({ ...call, time: 7 }, { ...reply, time: 8 }, early, {
      process: 1,
      type: 'ok',
      value: null,
      time: 7,
    });
    expect(
      operations.map(({ process, callPosition, returnPosition }) => [process, callPosition, returnPosition]),
    ).toEqual([
      ['1', 0, 2],
      ['0', 1, 3],
    ]);
  });

  test('when one operation lacks a time, the lines are in order as they stand', () => {
    const { operations, isTimed } = parse({ ...call, time: 7 }, reply, early);
    expect(isTimed).toBe(false);
    expect(operations.map(({ callPosition }) => callPosition)).toEqual([0, 2]);
  });

  test('a reply timed before its call is an error', () => {
    expect(errorsOf({ ...call, time: 9 }, { ...reply, time: 5 })).toEqual([
      '2: "ok" of process 0 answers nothing: expected an "invoke" of that process at or before its time',
    ]);
  });
});

describe('what is refused', () => {
  test.each([
    ['no JSON', ['{"process":0'], '1: expected a JSON object, got {"process":0'],
    ['a list', ['[1]'], '1: expected a JSON object, got a list of 1'],
    ['null', ['null'], '1: expected a JSON object, got null'],
    [
      'no type',
      [{ ...call, type: undefined }],
      '1: "type" is missing: expected "invoke", "ok", "fail", "info" or "fault"',
    ],
    [
      'another type',
      [{ ...call, type: 'done' }],
      '1: "type" is "done": expected "invoke", "ok", "fail", "info" or "fault"',
    ],
    [
      'no process',
      [{ ...call, process: undefined }],
      '1: "process" is missing: expected a number or a string',
    ],
    [
      'a process that is a list',
      [{ ...call, process: [] }],
      '1: "process" is a list of 0: expected a number or a string',
    ],
    [
      'an unknown f',
      [{ ...call, f: 'incr' }],
      '1: "f" is "incr": expected "read", "write", "cas" or "append"',
    ],
    ['no f', [{ ...call, f: undefined }], '1: "f" is missing: expected "read", "write", "cas" or "append"'],
    ['a time that is text', [{ ...call, time: '5' }], '1: "time" is "5": expected a number'],
    ['a write of nothing', [{ ...call, value: undefined }], '1: "value" is missing: expected what to write'],
    ['a cas of one value', [{ ...call, f: 'cas' }], '1: "value" is 1: expected [expected, new] for a cas'],
    [
      'a cas of three',
      [{ ...call, f: 'cas', value: [1, 2, 3] }],
      '1: "value" is a list of 3: expected [expected, new] for a cas',
    ],
    [
      'a reply to nothing',
      [call, reply, reply],
      '3: "ok" of process 0 answers nothing: expected an "invoke" of that process before it',
    ],
    [
      'two calls at once',
      [call, call],
      '2: process 0 calls again: expected a reply to its call of line 1 first',
    ],
    [
      'a reply to another f',
      [call, { ...reply, f: 'read' }],
      '2: "f" is "read": expected "write" as in the call of line 1',
    ],
    [
      'a reply to another key',
      [call, { ...reply, key: 'y' }],
      '2: "key" is "y": expected "x" as in the call of line 1',
    ],
    [
      'a read that returned nothing',
      [
        { ...call, f: 'read' },
        { process: 0, type: 'ok' },
      ],
      '2: "value" is missing: expected what the read returned, null for a missing key',
    ],
    [
      'an integer that JSON.parse rounds',
      ['{"process":0,"type":"invoke","f":"write","key":"x","value":9007199254740993}'],
      '1: "value" holds what cannot be compared: expected an integer within ±2^53 (write 9007199254740992 as a string)',
    ],
    [
      'a fault without a name',
      [{ type: 'fault' }],
      '1: "name" is missing: expected a string that names the fault',
    ],
  ])('%s', (_, lines, message) => {
    expect(errorsOf(...lines)).toEqual([message]);
  });

  test('values nested without end', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const line = `{"process":0,"type":"invoke","f":"write","key":"x","value":${deep}}`;
    expect(errorsOf(line)).toEqual([
      '1: "value" holds what cannot be compared: expected a value nested at most 100 deep',
    ]);
    expect(errorsOf(deep)).toEqual(['1: expected a JSON object, got a list of 1']);
  });

  test('every bad line is named, and what follows from it is not', () => {
    expect(errorsOf({ ...call, f: 'incr' }, reply, 'what', { ...call, process: 2 })).toEqual([
      '1: "f" is "incr": expected "read", "write", "cas" or "append"',
      '3: expected a JSON object, got what',
    ]);
  });

  test('a thousand bad lines are counted and twenty shown', () => {
    const parsed = parseHistory('x\n'.repeat(1000));
    expect(parsed).toMatchObject({ ok: false, errorCount: 1000 });
    expect(parsed.ok ? [] : parsed.errors).toHaveLength(20);
  });

  test('no text throws, and what is no history exits with 2', () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record(
          {
            process: fc.oneof(fc.nat(3), fc.json()),
            type: fc.oneof(fc.constantFrom('invoke', 'ok', 'fail', 'info', 'fault'), fc.string()),
            f: fc.oneof(fc.constantFrom('read', 'write', 'cas', 'append'), fc.string()),
            key: fc.jsonValue(),
            value: fc.jsonValue(),
            time: fc.oneof(fc.double(), fc.string()),
          },
          { requiredKeys: ['type'] },
        )
        .map((entry) => JSON.stringify(entry)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const checked = checkText(lines.join('\n'), { budget: 10_000 });
        expect(checked.exitCode).toBe({ ok: 0, violation: 1, undecided: 2, invalid: 2 }[checked.result]);
        expect(checked.result === 'invalid').toBe(checked.errors.length > 0);
      }),
      { numRuns: 500 },
    );
  });
});
