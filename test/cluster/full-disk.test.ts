// A node on a file system that is really full behaves as with the injected fault. Needs root on Linux: a small
// tmpfs is mounted. Elsewhere the injected fault in disk-faults.test.ts is all there is.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectFullLeaderGivesWay } from './disk-checks.ts';
import { eventually, TestCluster, type TestNode } from './harness.ts';
import { ask } from './raw-connection.ts';

/** Two segments of 16 MiB fit, a third does not. */
const SIZE_MIB = 40;

/** Mounts it at a new folder. Returns why that cannot be done here, or null. */
function mountSmall(folder: string): string | null {
  if (process.platform !== 'linux') return 'only Linux has tmpfs';
  if (process.getuid?.() !== 0) return 'only root can mount';
  mkdirSync(folder, { recursive: true });
  try {
    const options = `size=${SIZE_MIB}m,mode=0700`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function makeLeader(cluster: TestCluster, node: TestNode): Promise<void> {
  await eventually(`n${node.id} leads`, async () => {
    const leader = await cluster.leader();
    if (leader === node) return true;
    // Refused while it is behind or a handover is under way: then again.
    await leader.act({ kind: 'stepDown', target: node.id }).catch(() => {});
    return false;
  });
}

test('a leader whose file system is really full gives way, and is whole again when it has grown', async (context) => {
  const disk = { mountedAt: '', problem: '' };
  const cluster = await TestCluster.start({
    beforeStart: ([first]) => {
      if (first === undefined) throw new Error('no node');
      disk.problem = mountSmall(first.dataDir) ?? '';
      if (disk.problem === '') disk.mountedAt = first.dataDir;
    },
  });
  try {
    context.skip(disk.problem !== '', `no small file system can be mounted: ${disk.problem}`);
    const node = cluster.node(1);
    await makeLeader(cluster, node);
    await expectFullLeaderGivesWay(cluster, node, {
      fill: async () => {
        const client = cluster.client();
        const value = 'x'.repeat(1024 * 1024);
        for (let n = 0; node.status?.alarms.includes('noSpace') !== true; n++) {
          if (n === SIZE_MIB) throw new Error(`${SIZE_MIB} MiB were written, and it said nothing`);
          await client.set(`large-${n}`, value);
        }
      },
      heal: () => {
        execFileSync('mount', ['-o', 'remount,size=200m', node.dataDir]);
        return Promise.resolve();
      },
    });
    const large = await ask(node, { command: 'get', key: 'large-3', consistency: 'stale' });
    expect(large.value).toHaveLength(1024 * 1024);
  } finally {
    for (const node of cluster.nodes) await node.stop();
    if (disk.mountedAt !== '') execFileSync('umount', ['-l', disk.mountedAt]);
    await cluster.stop();
  }
});
