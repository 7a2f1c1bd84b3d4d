// A disk that is really full behaves as the injected one: a tmpfs of one megabyte. Needs root on Linux; where it
// cannot be mounted the injected fault in log-faults.test.ts is all there is.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openFileLog } from '../../engine/storage/file-log-store.ts';
import { createNodeFileSystem } from '../../engine/storage/node-file-system.ts';
import type { LogStore, LogStoreError, Recovered } from '../../engine/storage/types.ts';
import { appended, batchOf, described, entry } from './log-store-contract.ts';

const KIB = 1024;
const folder = mkdtempSync(join(tmpdir(), 'quorumlab-full-'));
const mounted = mountSmall();

function mountSmall(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'none', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

afterAll(() => {
  if (mounted) execFileSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
});

it.runIf(mounted)(
  '[W12] a really full disk: nothing acknowledged, nothing lost, and it clears itself',
  async () => {
    const fatal: LogStoreError[] = [];
    const open = (): Promise<{ store: LogStore; recovered: Recovered }> =>
      openFileLog({
        fs: createNodeFileSystem(),
        folder: join(folder, 'log'),
        segmentBytes: 64 * KIB,
        retryMs: 5,
        onFatal: (error) => fatal.push(error),
      });
    const { store } = await open();
    await appended(store, batchOf([entry(1, 1, 1000)]));
    // A ballast leaves less than a segment free once the prepared one is there.
    const ballast = join(folder, 'ballast');
    await expect
      .poll(() => statfsSync(folder).bfree * statfsSync(folder).bsize)
      .toBeLessThanOrEqual(900 * KIB);
    const freeBytes = statfsSync(folder).bfree * statfsSync(folder).bsize;
    writeFileSync(ballast, new Uint8Array(freeBytes - 20 * KIB));

    let acknowledged = 1;
    for (let index = 2; index <= 400; index++) {
      store.append(batchOf([entry(index, 1, 1000)]), () => {
        acknowledged = index;
      });
    }
    await expect.poll(() => store.status().noSpace).toBe(true);
    await expect.poll(() => store.status().syncInFlightMs).toBeGreaterThan(30);
    expect(acknowledged).toBeLessThan(400);
    expect(fatal).toEqual([]);

    rmSync(ballast);
    await expect.poll(() => acknowledged, { timeout: 10_000 }).toBe(400);
    await expect.poll(() => store.status().noSpace).toBe(false);
    await store.close();
    const again = await open();
    expect(described(again.recovered).split(' ')).toHaveLength(400);
    expect(again.recovered.verdicts).toEqual([]);
    await again.store.close();
  },
);
