// One file per node for what its process prints, and the last lines of its standard error for the exit reason.
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const LOG_BYTES_MAX = 8 * 1024 * 1024;
const TAIL_CHARACTERS_MAX = 2000;

export interface ProcessLog {
  /** The last lines of standard error, without colours. */
  tail(): string;
  close(): void;
}

/** Appends both streams to `path`; a file that has grown past 8 MiB moves to `path`.1 first. */
export function logProcess(
  path: string,
  streams: { out: NodeJS.ReadableStream | null; error: NodeJS.ReadableStream | null },
): ProcessLog {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rotate(path);
  const file = createWriteStream(path, { flags: 'a', mode: 0o600 });
  // A full disk must not take the panel down with it; the node's own alarms tell of it.
  file.on('error', () => undefined);
  let tail = '';
  streams.out?.on('data', (chunk: Buffer) => file.write(chunk));
  streams.error?.on('data', (chunk: Buffer) => {
    file.write(chunk);
    tail = (tail + chunk.toString('utf8')).slice(-TAIL_CHARACTERS_MAX);
  });
  return {
    tail: () => tail.trim(),
    close: () => file.end(),
  };
}

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
}
