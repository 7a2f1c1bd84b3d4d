// Electron's official download, given up as soon as it stands still: many networks do not reach its host.
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow } from './hashing.mjs';
import { cacheRoot, inProject } from './paths.mjs';
import { run } from './processes.mjs';
import { PlainError, step } from './terminal.mjs';

const STANDSTILL_LIMIT_MS = 10_000;
const TOTAL_LIMIT_MS = 600_000;
const RETRY_AFTER_MS = 24 * 3_600_000;

const electronFolder = inProject('node_modules', 'electron');
const failureStamp = join(cacheRoot, 'electron-download-failed.txt');

/** Whether the download failed within the last day: then a runtime from elsewhere is used without trying again. */
export async function downloadFailedLately() {
  const stamp = await stat(failureStamp).catch(() => undefined);
  return stamp !== undefined && Date.now() - stamp.mtimeMs < RETRY_AFTER_MS;
}

/** @param {string[]} folders */
function bytesIn(folders) {
  let bytes = 0;
  for (const file of folders.flatMap(filesBelow)) {
    if (existsSync(file)) bytes += statSync(file).size;
  }
  return bytes;
}

/**
 * Lets the electron package fetch its own runtime into node_modules/electron.
 * @throws {PlainError} with the reason when it did not arrive
 */
export async function downloadOfficialRuntime() {
  await mkdir(cacheRoot, { recursive: true });
  // The download grows in a temporary folder, then in dist/: while either grows, it is not stuck.
  const temporary = await mkdtemp(join(cacheRoot, 'electron-download-'));
  const watched = [temporary, join(electronFolder, 'dist')];
  let bytes = 0;
  let grewAtMs = Date.now();
  const isStuck = () => {
    const now = bytesIn(watched);
    if (now !== bytes) grewAtMs = Date.now();
    bytes = now;
    return Date.now() - grewAtMs > STANDSTILL_LIMIT_MS;
  };
  try {
    await step("trying Electron's official download", async () => {
      const env = { ...process.env, TMPDIR: temporary, ELECTRON_GET_NO_PROGRESS: '1' };
      const script = join(electronFolder, 'install.js');
      const result = await run(process.execPath, [script], { env, timeLimitMs: TOTAL_LIMIT_MS, isStuck });
      if (result.timedOut) throw new PlainError('the official download of Electron stood still');
      if (result.code !== 0) throw new PlainError('the official download of Electron is out of reach');
    });
    await rm(failureStamp, { force: true });
  } catch (error) {
    await writeFile(failureStamp, `${new Date().toISOString()}\n`);
    throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
