// `npm run check`: everything a change must pass before it is shared, two at a time; every failure is shown, not only
// the first. Needs no build and no display.
import { cpus } from 'node:os';
import { inProject, projectRoot } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { dim, elapsed, green, red, runMain, say } from './lib/terminal.mjs';

const modules = inProject('node_modules');

const TIME_LIMIT_MS = 900_000;

/** The slowest first. @type {{ name: string, tool: string, args: string[] }[]} */
const CHECKS = [
  {
    name: 'unit tests',
    tool: `${modules}/vitest/vitest.mjs`,
    args: ['run', '--project', 'unit', '--project', 'renderer', `--maxWorkers=${cpus().length}`],
  },
  { name: 'types', tool: `${modules}/typescript/bin/tsc`, args: ['-b', '--pretty', 'false'] },
  {
    name: 'layers',
    tool: `${modules}/dependency-cruiser/bin/dependency-cruise.mjs`,
    args: ['--config', '.dependency-cruiser.cjs', 'engine', 'src', 'test'],
  },
  { name: 'dead code', tool: `${modules}/knip/bin/knip.js`, args: [] },
  {
    name: 'format and lint',
    tool: `${modules}/@biomejs/biome/bin/biome`,
    args: ['ci', '--colors=off', '--max-diagnostics=50', '.'],
  },
];

/** @param {{ name: string, tool: string, args: string[] }} check */
async function passes({ name, tool, args }) {
  const startedAtMs = Date.now();
  const { code, output, timedOut } = await run(process.execPath, [tool, ...args], {
    cwd: projectRoot,
    timeLimitMs: TIME_LIMIT_MS,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const took = dim(`(${elapsed(startedAtMs)})`);
  if (code === 0) say(`${green('✓')} ${name} ${took}`);
  else say(`${red(`✗ ${name}`)} ${took}\n${output.trim()}\n`);
  if (timedOut)
    say(
      red(`${name}: ended after ${TIME_LIMIT_MS / 60_000} minutes, which is the limit of scripts/check.mjs`),
    );
  return { name, ok: code === 0 };
}

runMain(async () => {
  const waiting = [...CHECKS];
  /** @type {{ name: string, ok: boolean }[]} */
  const results = [];
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) results.push(await passes(check));
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(2, cpus().length)) }, worker));
  const failed = results.filter((result) => !result.ok).map((result) => result.name);
  say(failed.length === 0 ? green('All checks pass.') : red(`Failed: ${failed.join(', ')}`));
  return failed.length === 0 ? 0 : 1;
});
