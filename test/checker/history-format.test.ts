// Does HISTORY.md tell the truth? Its examples are checked, each against the verdict written beside it.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkText } from '../../engine/checker/check-text.ts';
import { parseHistory } from '../../engine/checker/parse-history.ts';

const document = readFileSync(new URL('../../engine/checker/HISTORY.md', import.meta.url), 'utf8');
const blocks = [...document.matchAll(/```json(?: (\w+))?\n(.*?)```/gs)].map(([, verdict, text]) => ({
  verdict,
  text: text ?? '',
}));
const examples = blocks.filter((block) => block.verdict !== undefined);

test('the document has examples of each verdict', () => {
  expect([...new Set(examples.map((example) => example.verdict))].sort()).toEqual([
    'invalid',
    'ok',
    'violation',
  ]);
});

test.each(examples)('example %#: $verdict', ({ verdict, text }) => {
  expect(checkText(text).result).toBe(verdict);
});

test.each(blocks.filter((block) => block.verdict === undefined))('snippet %# can be read', ({ text }) => {
  expect(parseHistory(text).ok).toBe(true);
});
