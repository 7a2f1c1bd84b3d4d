// One panel per data folder: whoever listens on the folder's socket has it. The kernel drops the listener with
// its process, so a crash leaves no lock behind, and no process id has to be believed.
import { createHash } from 'node:crypto';
import { chmodSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The shortest limit for the path of a socket (macOS) is 104 bytes. */
const SOCKET_PATH_BYTES_MAX = 100;
const ANSWER_MS_MAX = 1000;

export interface PanelLock {
  release(): void;
}

/** Rejects with a message that names the other panel and a way out. */
export async function acquirePanelLock(folder: string, owner: string): Promise<PanelLock> {
  const path = socketPath(folder);
  const description = `${owner}, process ${process.pid}`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const server = await listen(path, description);
    if (server !== null) {
      return {
        release: () => {
          // Closing removes the file.
          server.close();
        },
      };
    }
    const holder = await askHolder(path);
    if (holder !== null) {
      throw new Error(
        `${folder} is in use by another Quorumlab (${holder}). Close that one, or choose another folder: ` +
          'QUORUMLAB_DATA_DIR=DIR, or --ephemeral for a temporary one.',
      );
    }
    // Nobody answers: the file is what a crash left.
    rmSync(path, { force: true });
  }
  throw new Error(`The lock ${path} could not be taken. Remove it if no Quorumlab is running.`);
}

function socketPath(folder: string): string {
  const real = realpathSync(folder);
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\quorumlab-${hash}`;
  const inside = join(real, 'panel.sock');
  return Buffer.byteLength(inside) <= SOCKET_PATH_BYTES_MAX
    ? inside
    : join(tmpdir(), `quorumlab-${hash}.sock`);
}

/** Null when something stands at the path already. */
function listen(path: string, description: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(description);
    });
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(path, () => {
      if (process.platform !== 'win32') chmodSync(path, 0o600);
      resolve(server);
    });
  });
}

/** How the holder describes itself; null when nobody listens. A holder too busy to answer still holds it. */
function askHolder(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path);
    socket.setTimeout(ANSWER_MS_MAX, () => {
      socket.destroy();
      resolve('it does not say which');
    });
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8').slice(0, 200);
    });
    socket.on('end', () => resolve(answer || 'it does not say which'));
    socket.on('error', () => resolve(null));
  });
}
