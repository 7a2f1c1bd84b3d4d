// Plays every script of scripts/ and compares the trace, line by line. `UPDATE=1` writes what came out instead:
// read it before you keep it, for the trace is the claim of what Raft demands.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Stage } from './stage.ts';

const FOLDER = fileURLToPath(new URL('./scripts/', import.meta.url));

/** Commands begin with `> `, comments with `#`; what stands between is the expected trace. */
function play(script: string): string {
  const stage = new Stage();
  const out: string[] = [];
  for (const line of script.split('\n')) {
    if (line.startsWith('#') || line === '') out.push(line);
    else if (line.startsWith('> '))
      out.push(line, ...stage.run(line.slice(2)).map((traced) => `  ${traced}`));
  }
  return out.join('\n');
}

const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

test('there are scripts', () => {
  expect(names.length).toBeGreaterThanOrEqual(11);
});

test.each(names)('%s', (name) => {
  const path = `${FOLDER}${name}`;
  const script = readFileSync(path, 'utf8');
  const played = play(script);
  if (process.env.UPDATE === '1') writeFileSync(path, played);
  else expect(played).toBe(script);
});
