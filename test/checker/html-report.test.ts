// Does the report show the history, and nothing but the history?
import { describe, expect, test } from 'vitest';
import { checkText, checkToJson, describeCheck } from '../../engine/checker/check-text.ts';
import { renderHistoryHtml } from '../../engine/checker/html-report.ts';
import { atomicHistory, randomFrom } from './random-history.ts';

const STALE = [
  { process: 'a', type: 'invoke', f: 'write', key: 'x', value: 1, time: 0 },
  { process: 'a', type: 'ok', time: 2 },
  { type: 'fault', name: 'kill', target: 'n1', time: 3, until: 6 },
  { process: 'a', type: 'invoke', f: 'write', key: 'x', value: 2, time: 4 },
  { process: 'a', type: 'ok', time: 5 },
  { process: 'b', type: 'invoke', f: 'read', key: 'x', time: 6 },
  { process: 'b', type: 'ok', value: 1, time: 7 },
  { process: 'c', type: 'invoke', f: 'append', key: 'l', value: 1, time: 8 },
  { process: 'c', type: 'info', time: 9 },
];

function report(entries: readonly object[], title?: string): string {
  const { history, verdict, reason } = checkText(entries.map((entry) => JSON.stringify(entry)).join('\n'));
  if (history === null || verdict === null) throw new Error(reason);
  return renderHistoryHtml(history, verdict, title === undefined ? {} : { title });
}

/** The drawings, evidence first. */
const drawings = (html: string) => [...html.matchAll(/<svg role="img".*?<\/svg>/gs)].map(([svg]) => svg);
const count = (text: string, part: string) => text.split(part).length - 1;

describe('the report', () => {
  test('is one file that asks for nothing else', () => {
    const html = report(STALE);
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/\b(src|href)=|@import|url\(|https?:/);
    expect(html).toContain('prefers-color-scheme: dark');
  });

  test('draws each operation once in the whole history', () => {
    const whole = drawings(report(STALE)).at(-1) ?? '';
    expect(count(whole, '<g class="op ')).toBe(4);
    expect(count(whole, '<g class="op append unknown"')).toBe(1);
    expect(count(whole, '<g class="op failing ok"')).toBe(1);
  });

  test('shows a violation first: its operations, the order found, and the one without a place', () => {
    const [evidence = '', whole] = drawings(report(STALE));
    expect(whole).toBeDefined();
    expect(count(evidence, '<g class="op ')).toBe(3);
    expect(count(evidence, '<circle class="point"')).toBe(2);
    const [failing = ''] = evidence.match(/<g class="op failing.*?<\/g>/s) ?? [];
    expect(failing).toContain('read → 1');
    expect(failing).not.toContain('<circle');
  });

  test('of a history without violation has no evidence', () => {
    const html = report(STALE.slice(0, 5));
    expect(drawings(html)).toHaveLength(1);
    expect(html).not.toContain('What shows it');
    expect(html).toContain('<strong>ok</strong>');
  });

  test('marks faults from their time to their end', () => {
    const whole = drawings(report(STALE)).at(-1) ?? '';
    expect(whole).toMatch(
      /<g class="fault"><rect class="band"[^>]*><line[^>]*><title>kill n1 \(line 3, time 3\)<\/title>/,
    );
  });

  test('puts every point between call and reply', () => {
    const entries = atomicHistory(
      {
        processes: 8,
        operations: 300,
        keys: 3,
        functions: ['read', 'write', 'cas'],
        values: 4,
        failRate: 0,
        unknownRate: 0.1,
      },
      randomFrom(3),
    );
    const [whole = ''] = drawings(report(entries));
    const bars = [...whole.matchAll(/<g class="op \w+ ok".*?<\/g>/gs)].map(([bar]) => bar);
    expect(bars.length).toBeGreaterThan(200);
    for (const bar of bars) {
      const [, x, width] = /<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/.exec(bar) ?? [];
      const [, point] = /<circle class="point" cx="([\d.]+)"/.exec(bar) ?? [];
      expect(Number(point), bar).toBeGreaterThanOrEqual(Number(x));
      expect(Number(point), bar).toBeLessThanOrEqual(Number(x) + Number(width) + 0.11);
    }
  });

  test('ties an effect that came after the end of its bar to the bar', () => {
    const html = report([
      { process: 'u', type: 'invoke', f: 'write', key: 'x', value: 5 },
      { process: 'u', type: 'info' },
      { process: 'u', type: 'invoke', f: 'read', key: 'x' },
      { process: 'u', type: 'ok', value: null },
      { process: 'b', type: 'invoke', f: 'read', key: 'x' },
      { process: 'b', type: 'ok', value: 5 },
    ]);
    const [write = ''] = html.match(/<g class="op write unknown".*?<\/g>/s) ?? [];
    expect(write).toMatch(/<line class="late".*<circle class="point"/s);
    expect(count(html, 'class="late"')).toBe(1);
  });

  test('escapes whatever the history holds', () => {
    const evil = '</title></script><script>alert(1)</script>"\'&';
    const html = report(
      [
        { process: evil, type: 'invoke', f: 'write', key: evil, value: evil, time: 1 },
        { process: evil, type: 'ok', time: 2 },
        { type: 'fault', name: evil, target: evil, time: 1 },
        { process: 'b', type: 'invoke', f: 'read', key: evil, time: 3 },
        { process: 'b', type: 'ok', value: `${evil}2`, time: 4 },
      ],
      evil,
    );
    expect(html).not.toContain('<script>alert');
    expect(count(html, '<script>')).toBe(1);
    expect(count(html, '</title>')).toBe(count(html, '<title>'));
  });

  test('of nothing is a report too', () => {
    expect(report([])).toContain('there are no operations');
  });

  test('of very many operations draws whole keys, and says what it left out', () => {
    const entries = atomicHistory(
      {
        processes: 20,
        operations: 14_000,
        keys: 4,
        functions: ['read', 'write'],
        values: 'unique',
        failRate: 0,
        unknownRate: 0,
      },
      randomFrom(1),
    );
    const html = report(entries);
    const drawn = count(html, '<g class="op ');
    expect(drawn).toBeGreaterThan(9_000);
    expect(drawn).toBeLessThanOrEqual(12_000);
    expect(html).toContain(`${14_000 - drawn} operations of other keys are not drawn.`);
  });
});

describe('the wording', () => {
  const text = STALE.map((entry) => JSON.stringify(entry)).join('\n');

  test('begins with the verdict and its reason', () => {
    expect(describeCheck(checkText(text)).split('\n').slice(0, 9)).toEqual([
      'violation: key "x": no order explains process b read → 1 (line 7); the longest one places 2 of 3 operations, leaves 2, and has no place for read → 1',
      '4 operations (3 ok, 0 failed, 1 unknown) by 3 processes on 2 keys; 2 steps of search',
      '',
      'key "x": 3 of its 3 operations show it',
      '',
      '  order  lines        process     operation',
      '      1  1-2          a           write 1',
      '      2  4-5          a           write 2',
      '      -  6-7          b           read → 1   <- no place for this',
    ]);
  });

  test('names bad lines', () => {
    const checked = checkText('{}\n{"type":"fault"}');
    expect(checked).toMatchObject({ result: 'invalid', exitCode: 2, verdict: null, history: null });
    expect(describeCheck(checked)).toMatch(
      /^invalid: line 1: "type" is missing.* \(and 1 more\)\n {2}line 1: .*\n {2}line 2: /,
    );
  });

  test('is plain data as JSON', () => {
    const json = checkToJson(checkText(text));
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    expect(json).toMatchObject({
      verdict: 'violation',
      exitCode: 1,
      keys: [
        { key: 'x', model: 'register', verdict: 'violation', operationCount: 3 },
        { key: 'l', model: 'append', verdict: 'ok' },
      ],
      violation: { key: 'x', failing: { process: 'b', f: 'read', value: 1, callLine: 6, returnLine: 7 } },
    });
    expect(checkToJson(checkText('{}'))).toMatchObject({ verdict: 'invalid', errors: [{ line: 1 }] });
  });
});
