// Redis's glob: its own examples, a slow and simple matcher as the model, and patterns that were built to be slow.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RespGlob } from '../../engine/protocol/resp-glob.ts';
import { property } from '../protocol/property.ts';

/** What the pattern means, said the simplest way; the parts are as in RespGlob. */
function modelMatches(pattern: string, key: string): boolean {
  if (pattern === '') return key === '';
  const [first = '', rest] = [pattern[0], pattern.slice(1)];
  if (first === '*') return modelMatches(rest, key) || (key !== '' && modelMatches(pattern, key.slice(1)));
  if (key === '') return false;
  if (first === '?') return modelMatches(rest, key.slice(1));
  if (first === '\\' && rest !== '') return rest[0] === key[0] && modelMatches(rest.slice(1), key.slice(1));
  return first === key[0] && modelMatches(rest, key.slice(1));
}

describe('RespGlob', () => {
  test.each([
    ['h?llo', ['hello', 'hallo', 'hxllo'], ['hllo', 'heello']],
    ['h*llo', ['hllo', 'heeeello'], ['hello!']],
    ['h[ae]llo', ['hello', 'hallo'], ['hillo']],
    ['h[^e]llo', ['hallo', 'hbllo'], ['hello']],
    ['h[a-b]llo', ['hallo', 'hbllo'], ['hcllo']],
    ['h[b-a]llo', ['hallo', 'hbllo'], ['hcllo']],
    ['a\\*b', ['a*b'], ['axb']],
    ['[\\]]', [']'], ['\\']],
    ['[a', ['a'], ['b', '[a']],
    ['', [''], ['a']],
    ['**', ['', 'anything'], []],
    ['*\xff', ['\xff', 'a\xff'], ['\xfe']],
    ['a\\', ['a\\'], ['a']],
  ])('%s', (pattern, matching, others) => {
    const glob = new RespGlob(pattern);
    for (const key of matching) expect(glob.matches(key), key).toBe(true);
    for (const key of others) expect(glob.matches(key), key).toBe(false);
  });

  test('agrees with the model, and every match begins with its prefix', () => {
    const text = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 8 });
    property(
      fc.tuple(text('ab*?\\'), text('ab*\\')),
      ([pattern, key]) => {
        const glob = new RespGlob(pattern);
        expect(glob.matches(key)).toBe(modelMatches(pattern, key));
        if (glob.matches(key)) expect(key.startsWith(glob.prefix)).toBe(true);
      },
      { runs: 2000 },
    );
  });

  test('many stars are no way to stop a node', () => {
    const glob = new RespGlob(`${'*a'.repeat(50)}b`);
    const startedAt = performance.now();
    expect(glob.matches('a'.repeat(20_000))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
