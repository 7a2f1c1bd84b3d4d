// A short chaos run on every test run, and proof that its verdict can fail: a build that counts what it has not
// synced must be found. `npm run chaos -- --minutes 30` is the real thing.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { costOf } from '../../engine/chaos/fault-kinds.ts';
import { reportLines } from '../../engine/chaos/report.ts';
import { type ChaosOptions, runChaos } from '../../engine/chaos/run-chaos.ts';
import { checkText } from '../../engine/checker/check-text.ts';
import { program } from './harness.ts';
import { patchBuild } from './patched-build.ts';
import { seededChoice } from './seed.ts';

const TIMEOUT_MS = 240_000;

/** Runs in a temporary folder; `look` sees the folder before it is gone. */
async function run<Looked>(
  options: Pick<ChaosOptions, 'seed' | 'durationMs' | 'programs'> & Partial<ChaosOptions>,
  look: (folder: string) => Promise<Looked>,
) {
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-chaos-'));
  try {
    const report = await runChaos({ nodes: 3, clients: 8, folder, ...options });
    return { report, looked: await look(folder) };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

test('a short chaos run keeps every promise, and the checker says so of its file too', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { seed } = seededChoice('test/cluster/chaos.test.ts');
  const programs = dirname(await program('engine-node.js'));
  const { report, looked } = await run({ seed, durationMs: 10_000, programs }, (folder) =>
    readFile(join(folder, 'history.jsonl'), 'utf8'),
  );
  const lines = reportLines(report).join('\n');
  console.info(lines);
  expect(report.verdict, lines).toBe('ok');
  expect(report.lost).toBe(0);
  // A run without trouble or without load would prove nothing.
  expect(report.marks.length).toBeGreaterThan(2);
  expect(report.acknowledgedWrites).toBeGreaterThan(200);
  expect(checkText(looked).result).toBe('ok');
});

test('[L8] a build that counts what is not synced loses writes in power cuts, and is found', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { seed } = seededChoice('test/cluster/chaos.test.ts');
  const build = await patchBuild([
    {
      from: /core\.sendAfterSync\(\{(\s+)type: "AppendEntriesResponse"(?=,\s+to: message\.from,\s+success: true)/,
      to: 'core.send({$1type: "AppendEntriesResponse"',
    },
    { from: /id === core\.id \? log\.stableIndex/, to: 'id === core.id ? log.lastIndex' },
  ]);
  try {
    const kinds = ['powerCutAll'] as const;
    const { report } = await run(
      { seed, durationMs: 15_000, clients: 16, programs: build.folder, kinds },
      () => Promise.resolve(),
    );
    console.info(reportLines(report)[0]?.slice(0, 200), `after ${Math.round(report.faultsMs)} ms`);
    expect(report.verdict).toBe('violation');
    expect(report.marks.some(({ kind }) => costOf(kind) === 'cluster')).toBe(true);
  } finally {
    build.remove();
  }
});
