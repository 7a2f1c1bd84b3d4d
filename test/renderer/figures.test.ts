// @vitest-environment node
// Figures as people read them.
import { expect, test } from 'vitest';
import * as figures from '../../src/renderer/model/figures.ts';

test('counts are grouped; short counts have three figures', () => {
  expect(figures.count(1234567)).toBe('1,234,567');
  expect([0, 7, 950, 1234, 12_345, 123_456, 4_560_000].map(figures.shortCount)).toEqual([
    '0',
    '7',
    '950',
    '1.23k',
    '12.3k',
    '123k',
    '4.56M',
  ]);
  expect([0, 250, 2500, 75_000, 1_500_000].map(figures.axisCount)).toEqual([
    '0',
    '250',
    '2.5k',
    '75k',
    '1.5M',
  ]);
});

test('milliseconds keep the figures that matter', () => {
  expect([0.421, 12.34, 183.6, 1250].map(figures.milliseconds)).toEqual([
    '0.42 ms',
    '12.3 ms',
    '184 ms',
    '1.25 s',
  ]);
});

test('bytes and durations', () => {
  expect([512, 1536, 16 * 1024 * 1024].map(figures.bytes)).toEqual(['512 B', '1.50 KiB', '16.0 MiB']);
  expect([900, 61_000, 3_720_000].map(figures.duration)).toEqual(['0 s', '1 min 1 s', '1 h 2 min']);
});

test('lists read as sentences', () => {
  expect([[], ['n1'], ['n1', 'n2'], ['n1', 'n2', 'n3']].map(figures.listed)).toEqual([
    '',
    'n1',
    'n1 and n2',
    'n1, n2 and n3',
  ]);
});
