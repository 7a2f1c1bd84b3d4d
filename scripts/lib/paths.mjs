// The folders that scripts agree on.
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Per-user cache, shared by all checkouts: holds what is too large or too slow to fetch twice. */
export const cacheRoot = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'quorumlab');

/** @param {...string} parts */
export function inProject(...parts) {
  return join(projectRoot, ...parts);
}
