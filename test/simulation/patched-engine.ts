// Copies of the pure engine folders with some words replaced, in a temporary folder, ready to be imported: how
// planted bugs get in without a branch in production code.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type * as Plans from '../../engine/simulator/plan.ts';
import type * as Simulations from '../../engine/simulator/simulation.ts';
import type { PlantedBug } from './planted-bugs.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
/** What a simulation runs. */
const FOLDERS = ['raft', 'kv', 'protocol', 'checker', 'simulator'];

export interface PatchedEngine {
  simulate: typeof Simulations.simulate;
  drawPlan: typeof Plans.drawPlan;
  remove(): void;
}

/** Throws when a text is not there exactly once: the planted bug must follow the source. */
export async function importPatched(bug: Pick<PlantedBug, 'name' | 'edits'>): Promise<PatchedEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-planted-'));
  const engine = join(folder, 'engine');
  for (const name of FOLDERS) cpSync(join(PROJECT, 'engine', name), join(engine, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  for (const { file, from, to } of bug.edits) {
    const path = join(engine, file);
    const source = readFileSync(path, 'utf8');
    const count = source.split(from).length - 1;
    if (count !== 1) throw new Error(`"${bug.name}": ${count} times in engine/${file}: ${from}`);
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
  }
  const simulation = (await import(join(engine, 'simulator/simulation.ts'))) as typeof Simulations;
  const plan = (await import(join(engine, 'simulator/plan.ts'))) as typeof Plans;
  return {
    simulate: simulation.simulate,
    drawPlan: plan.drawPlan,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
