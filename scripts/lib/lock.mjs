// One process at a time: a lock folder that names its owner, and is taken over when the owner is dead.
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlainError } from './terminal.mjs';

const POLL_MS = 200;
const OWNER_WRITE_MS = 5_000;

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** A lock without an owner is one whose owner died between two system calls, or is just about to write its name. */
async function isStale(/** @type {string} */ lock) {
  try {
    return !isAlive(Number(await readFile(join(lock, 'pid'), 'utf8')));
  } catch {
    const made = await stat(lock).catch(() => undefined);
    return made !== undefined && Date.now() - made.mtimeMs > OWNER_WRITE_MS;
  }
}

/**
 * @template T
 * @param {string} lock path of the lock folder
 * @param {{ onWait: () => void, waitMsMax?: number }} options
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(lock, { onWait, waitMsMax = 600_000 }, work) {
  await mkdir(dirname(lock), { recursive: true });
  const deadlineMs = Date.now() + waitMsMax;
  let said = false;
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (await isStale(lock)) {
      await rm(lock, { recursive: true, force: true });
      continue;
    }
    if (Date.now() > deadlineMs)
      throw new PlainError(`Another process holds ${lock}. Delete that folder to go on.`);
    if (!said) onWait();
    said = true;
    await sleep(POLL_MS);
  }
  await writeFile(join(lock, 'pid'), String(process.pid));
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}
