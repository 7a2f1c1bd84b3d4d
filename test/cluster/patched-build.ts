// A copy of the built programs with some words replaced: how a planted bug gets into real processes without a branch
// in production code.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { program } from './harness.ts';

export interface PatchedBuild {
  /** Holds engine-node.js and cli.js. */
  folder: string;
  remove(): void;
}

/** Each `from` stands exactly once in the built programs' shared code; throws otherwise. */
export async function patchBuild(edits: readonly { from: RegExp; to: string }[]): Promise<PatchedBuild> {
  const source = dirname(await program('engine-node.js'));
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-patched-'));
  cpSync(source, folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  const chunks = join(folder, 'chunks');
  const files = readdirSync(chunks)
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(chunks, name));
  for (const { from, to } of edits) {
    const places = files.flatMap((file) => {
      const found = readFileSync(file, 'utf8').match(new RegExp(from.source, 'g')) ?? [];
      return found.map(() => file);
    });
    const [file] = places;
    if (file === undefined || places.length !== 1)
      throw new Error(`${places.length} times in the build: ${from}`);
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
