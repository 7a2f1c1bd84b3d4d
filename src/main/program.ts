// What both programs, desktop and browser host, know about themselves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import envPaths from 'env-paths';

/** The built files, seen from the folder of the running entry (out/main). */
export function programFiles(entryDir: string) {
  return {
    nodeEntry: join(entryDir, 'engine-node.js'),
    preload: join(entryDir, '../preload/index.cjs'),
    rendererDir: join(entryDir, '../renderer'),
    packageFile: join(entryDir, '../../package.json'),
  };
}

export function readVersion(packageFile: string): string {
  const content: unknown = JSON.parse(readFileSync(packageFile, 'utf8'));
  return typeof content === 'object' && content !== null && 'version' in content
    ? String(content.version)
    : 'unknown';
}

/** QUORUMLAB_DATA_DIR, or the platform's folder for application data: the same for both programs. */
export function defaultDataDir(): string {
  return process.env.QUORUMLAB_DATA_DIR || envPaths('quorumlab', { suffix: '' }).data;
}

/** QUORUMLAB_PORTS=any: whatever is free instead of the defaults, for several panels side by side. */
export function wantsAnyPorts(): boolean {
  return process.env.QUORUMLAB_PORTS === 'any';
}

/** The nodes' folders stand beside what the window itself remembers. */
export function clusterDirIn(dataDir: string): string {
  return join(dataDir, 'cluster');
}
