// Copies of the pure engine folders with some words replaced, in a temporary folder, ready to be imported: how
// planted bugs get in without a branch in production code. They run as plain JavaScript, outside of the test
// runner's own module system, which would take longer to load a copy than most bugs take to be found.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
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

interface SourceFile {
  /** Below engine/. */
  name: string;
  source: string;
  compiled: string;
}

let sources: readonly SourceFile[] | null = null;

function compile(source: string): string {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  return outputText;
}

function readSources(): readonly SourceFile[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(PROJECT, 'engine', folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => {
        const source = readFileSync(join(PROJECT, 'engine', folder, name), 'utf8');
        return { name: join(folder, name), source, compiled: compile(source) };
      }),
  );
}

function applyEdits({ name, source, compiled }: SourceFile, bug: Pick<PlantedBug, 'name' | 'edits'>): string {
  const edits = bug.edits.filter(({ file }) => resolve(file) === resolve(name));
  if (edits.length === 0) return compiled;
  let text = source;
  for (const { file, from, to } of edits) {
    const count = text.split(from).length - 1;
    if (count !== 1) throw new Error(`"${bug.name}": ${count} times in engine/${file}: ${from}`);
    text = text.replace(from, () => to);
  }
  return compile(text);
}

/** Throws when a text is not there exactly once: the planted bug must follow the source. */
export async function importPatched(bug: Pick<PlantedBug, 'name' | 'edits'>): Promise<PatchedEngine> {
  sources ??= readSources();
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-planted-'));
  // Below a folder of this name the test runner leaves modules to Node.js.
  const engine = join(folder, 'node_modules', 'engine');
  for (const file of sources) {
    const path = join(engine, file.name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, applyEdits(file, bug));
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(engine, 'node_modules'), 'junction');
  writeFileSync(join(engine, 'package.json'), '{ "type": "module" }\n');
  const load = (name: string): Promise<unknown> =>
    import(pathToFileURL(join(engine, 'simulator', name)).href);
  const { simulate } = (await load('simulation.js')) as typeof Simulations;
  const { drawPlan } = (await load('plan.js')) as typeof Plans;
  return { simulate, drawPlan, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
