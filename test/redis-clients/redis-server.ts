// A real redis-server to compare with, on a socket of its own in a temporary folder.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../cluster/harness.ts';
import { RawRespClient } from './raw-client.ts';

/** Whether the program can be run here; the tests that need it are skipped otherwise, by name. */
export function isInstalled(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args.length > 0 ? args : ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Semantics and error texts are compared with this line of versions. */
export function hasRedis7(): boolean {
  try {
    return / v=7\.0\./.test(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }));
  } catch {
    return false;
  }
}

export class RedisServer {
  readonly socketPath: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
    this.socketPath = join(folder, 'redis.sock');
  }

  static async start(): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'quorumlab-redis-'));
    const args = ['--port', '0', '--unixsocket', join(folder, 'redis.sock'), '--save', '', '--dir', folder];
    const server = new RedisServer(folder, spawn('redis-server', args, { stdio: 'ignore' }));
    await eventually('redis-server answers', async () => {
      const client = new RawRespClient(server.socketPath);
      const reply = await client.ask('PING').catch(() => '');
      client.close();
      return reply === '+PONG\r\n';
    });
    return server;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
