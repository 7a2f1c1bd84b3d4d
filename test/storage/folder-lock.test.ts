// Two processes never hold one folder, and a dead one holds nothing.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockFolder } from '../../engine/storage/folder-lock.ts';

let folder = '';
let child: ChildProcess | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorumlab-lock-'));
});

afterEach(async () => {
  child?.kill('SIGKILL');
  child = null;
  await rm(folder, { recursive: true, force: true });
});

/** Another living process, which the lock file is made to name. */
async function livingProcess(): Promise<number> {
  child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log("up")'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  if (child.stdout !== null) await once(child.stdout, 'data');
  return child.pid ?? 0;
}

async function startOf(pid: number): Promise<string> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return `${(await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()}:${fields[19]}`;
}

it('is held once, also within one process, and given back', async () => {
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'ELOCKED' });
  await lock.release();
  await (await lockFolder(folder)).release();
  expect(await readdir(folder)).toEqual([]);
});

it('names the living process that holds it, and the way out', async () => {
  const pid = await livingProcess();
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid, startedAt: '' }));
  await expect(lockFolder(folder)).rejects.toThrow(`in use by the running process ${pid}; stop it first`);
});

it('is free again once its holder was killed', async () => {
  const pid = await livingProcess();
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid, startedAt: '' }));
  child?.kill('SIGKILL');
  if (child !== null) await once(child, 'exit');
  await (await lockFolder(folder)).release();
});

it.runIf(process.platform === 'linux')(
  'is not held by another process that was given the same pid',
  async () => {
    const pid = await livingProcess();
    const startedAt = await startOf(pid);
    await writeFile(join(folder, 'lock'), JSON.stringify({ pid, startedAt }));
    await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'ELOCKED' });
    await writeFile(join(folder, 'lock'), JSON.stringify({ pid, startedAt: `${startedAt}0` }));
    await (await lockFolder(folder)).release();
  },
);

it('takes over from a lock that names nobody', async () => {
  await writeFile(join(folder, 'lock'), 'torn');
  await (await lockFolder(folder)).release();
});

it('of many that find a stale lock at once, one gets it', async () => {
  await writeFile(join(folder, 'lock'), 'torn');
  const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
  expect(attempts.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
});
