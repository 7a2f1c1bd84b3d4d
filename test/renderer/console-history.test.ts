// @vitest-environment node
// The console's memory, and what a paste and the history give to run and to complete.
import { expect, test } from 'vitest';
import {
  HISTORY_MAX,
  historyOf,
  newer,
  older,
  remembered,
} from '../../src/renderer/model/console-history.ts';
import { pastedLines, recentKeys } from '../../src/renderer/model/recent-keys.ts';

test('lines are remembered once in a row, without blanks, and bounded', () => {
  let history = historyOf([]);
  for (const line of ['get a', 'get a', '  ', 'get b', 'get a ']) history = remembered(history, line);
  expect(history.lines).toEqual(['get a', 'get b', 'get a']);
  for (let step = 0; step < HISTORY_MAX + 20; step++) history = remembered(history, `get ${step}`);
  expect(history.lines).toHaveLength(HISTORY_MAX);
  expect(history.lines.at(-1)).toBe(`get ${HISTORY_MAX + 19}`);
});

test('up and down walk through the lines and back to what was being typed', () => {
  const history = historyOf(['set a 1', 'get a', 'kill n1']);
  const first = older(history, '');
  const second = older(first.history, first.text);
  expect([first.text, second.text]).toEqual(['kill n1', 'get a']);
  const back = newer(second.history, second.text);
  expect(back.text).toBe('kill n1');
  expect(newer(back.history, back.text).text).toBe('');
});

test('what is typed filters the walk, and is there again after it', () => {
  const history = historyOf(['set a 1', 'get a', 'set b 2', 'kill n1']);
  const first = older(history, 'set');
  const second = older(first.history, first.text);
  expect([first.text, second.text]).toEqual(['set b 2', 'set a 1']);
  const end = older(second.history, second.text);
  expect(end.text).toBe('set a 1');
  const forward = newer(newer(end.history, end.text).history, 'set b 2');
  expect(forward.text).toBe('set');
});

test('down without having gone up changes nothing', () => {
  expect(newer(historyOf(['get a']), 'half a li').text).toBe('half a li');
});

test('keys of key commands are offered again, newest first', () => {
  const lines = ['set user:1 x', 'get "two words"', 'kill n1', 'nonsense q', 'incr visits', 'get user:1'];
  expect(recentKeys(lines)).toEqual(['user:1', 'visits', 'two words']);
});

test('a paste runs its commands and leaves out comments and blank lines', () => {
  expect(pastedLines('set a 1\r\n\n  # not this\n  get a  \n')).toEqual(['set a 1', 'get a']);
});
