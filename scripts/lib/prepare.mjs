// From a bare checkout to a built one: Node.js version, dependencies, build. Each step does nothing when nothing changed.
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { sha256OfTree } from './hashing.mjs';
import { withLock } from './lock.mjs';
import { inProject, projectRoot } from './paths.mjs';
import { run, runNpm } from './processes.mjs';
import { PlainError, say, step } from './terminal.mjs';

const BUILD_INPUTS = [
  'engine',
  'src',
  'electron.vite.config.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
];
const BUILD_OUTPUTS = [
  'out/main/index.js',
  'out/main/serve.js',
  'out/main/engine-node.js',
  'out/main/cli.js',
  'out/client/client/public.js',
];
const BUILD_STAMP = inProject('out', 'build-stamp.txt');

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new PlainError(
    `Quorumlab needs Node.js 20.19 or later; this is ${process.version}. Install a current version from nodejs.org.`,
  );
}

/** True when node_modules holds exactly the versions of package-lock.json (missing optional packages are fine). */
function dependenciesAreCurrent() {
  const installedFile = inProject('node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(inProject('package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === entry.version : Boolean(entry.optional || entry.peer);
  });
}

async function ensureDependencies() {
  if (dependenciesAreCurrent()) return;
  const onWait = () => say('  waiting for another process that installs the dependencies');
  await withLock(inProject('.npm-ci.lock'), { onWait }, async () => {
    if (dependenciesAreCurrent()) return;
    await step('installing dependencies (npm ci, about half a minute)', async () => {
      const { code, output } = await runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: projectRoot,
      });
      if (code !== 0) throw new PlainError(`${output.trim()}\n\nnpm ci failed (exit code ${code}).`);
    });
  });
}

/** @param {string} inputs hash of everything that goes into the build */
function buildIsCurrent(inputs) {
  return (
    BUILD_OUTPUTS.every((path) => existsSync(inProject(path))) &&
    existsSync(BUILD_STAMP) &&
    readFileSync(BUILD_STAMP, 'utf8') === inputs
  );
}

/** The client library with its types, for `exports` in package.json. As with the rest: types are checked elsewhere. */
async function buildClientPackage() {
  const tsc = inProject('node_modules', 'typescript', 'bin', 'tsc');
  const { output } = await run(process.execPath, [tsc, '-p', 'engine/tsconfig.client.json'], {
    cwd: projectRoot,
  });
  if (!existsSync(inProject('out', 'client', 'client', 'public.js'))) throw new PlainError(output.trim());
}

/** @param {{ force?: boolean }} [options] */
export async function ensureBuild({ force = false } = {}) {
  const inputs = sha256OfTree(BUILD_INPUTS.map((path) => inProject(path)));
  if (!force && buildIsCurrent(inputs)) return;
  const onWait = () => say('  waiting for another process that builds');
  await withLock(inProject('node_modules', '.quorumlab-build.lock'), { onWait }, async () => {
    if (!force && buildIsCurrent(inputs)) return;
    await step('building', async () => {
      const tool = inProject('node_modules', 'electron-vite', 'bin', 'electron-vite.js');
      const { code, output } = await run(process.execPath, [tool, 'build'], { cwd: projectRoot });
      if (code !== 0) throw new PlainError(`${output.trim()}\n\nThe build failed (exit code ${code}).`);
      await buildClientPackage();
      await writeFile(BUILD_STAMP, inputs);
    });
  });
}

/** Everything that must stand before any part of Quorumlab can start. */
export async function prepare() {
  checkNode();
  await ensureDependencies();
  await ensureBuild();
}
