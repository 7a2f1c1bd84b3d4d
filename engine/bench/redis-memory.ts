// What a key costs Redis, to hold ours against: the same keys and values in a process that keeps nothing on disk.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { endWithThisProcess } from './end-with-this-process.ts';
import { freePorts } from './free-ports.ts';

const HOST = '127.0.0.1';
const BATCH = 10_000;
const READY_MS = 10_000;

/** Resident bytes a key over those of the empty process; null when Redis is not installed. */
export async function redisBytesPerKey(
  keys: number,
  item: (position: number) => readonly [key: string, value: string],
): Promise<number | null> {
  const [port = 0] = await freePorts(1);
  const flags = ['--port', String(port), '--bind', HOST, '--save', '', '--appendonly', 'no'];
  const server = endWithThisProcess(spawn('redis-server', flags, { stdio: 'ignore' }));
  const missing = new Promise<null>((resolve) => server.once('error', () => resolve(null)));
  const measured = measure(port, keys, item);
  // Without the program nobody ever listens; that failure is the other promise's to tell.
  measured.catch(() => {});
  try {
    return await Promise.race([missing, measured]);
  } finally {
    server.kill('SIGKILL');
  }
}

async function measure(
  port: number,
  keys: number,
  item: (position: number) => readonly [string, string],
): Promise<number> {
  await listening(port);
  const before = await residentBytes(port);
  for (let first = 0; first < keys; first += BATCH) {
    const length = Math.min(BATCH, keys - first);
    const commands = Array.from({ length }, (_, offset) => {
      const [key, value] = item(first + offset);
      return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
    });
    await ask(port, commands.join(''), (reply) => reply.length >= length * '+OK\r\n'.length);
  }
  return ((await residentBytes(port)) - before) / keys;
}

async function residentBytes(port: number): Promise<number> {
  const info = await ask(port, 'INFO memory\r\n', (reply) => /used_memory_rss:\d+\r\n/.test(reply));
  return Number(/used_memory_rss:(\d+)/.exec(info)?.[1] ?? 0);
}

/** One connection, one question; resolves when the reply is whole. */
function ask(port: number, request: string, isWhole: (reply: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: HOST, port });
    let reply = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(request, 'latin1'));
    socket.on('data', (text: string) => {
      reply += text;
      if (!isWhole(reply)) return;
      socket.destroy();
      resolve(reply);
    });
    socket.on('error', reject);
  });
}

async function listening(port: number): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const answer = await ask(port, 'PING\r\n', (reply) => reply.includes('PONG')).catch(() => null);
    if (answer !== null) return;
    if (performance.now() > deadline) throw new Error('redis-server did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
