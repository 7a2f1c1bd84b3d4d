// A real node on an emptied folder: it says so, catches up, and is a voter again; half-way it is none. [E14]
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { forgetLoss, hasLostMemory } from '../../engine/node/memory-mark.ts';
import { createNodeFileSystem } from '../../engine/storage/node-file-system.ts';
import { waitUntil } from '../main/wait-until.ts';
import { type InProcessCluster, startCluster } from './in-process-cluster.ts';
import { JsonClient } from './json-client.ts';

let cluster: InProcessCluster | null = null;
const folders: string[] = [];

afterEach(async () => {
  await cluster?.close();
  cluster = null;
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

test('[E14] an emptied folder of a member is marked until it has caught up, a new one is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorumlab-mark-'));
  folders.push(folder);
  const fs = createNodeFileSystem();
  expect(await hasLostMemory(fs, { folder, wasMember: false })).toBe(false);
  expect(await readdir(folder)).toEqual([]);
  expect(await hasLostMemory(fs, { folder, wasMember: true })).toBe(true);
  // A beginning of a log beside the mark is still a loss, whoever asks.
  await writeFile(join(folder, 'segment-000000000001.log'), '');
  expect(await hasLostMemory(fs, { folder, wasMember: false })).toBe(true);
  await forgetLoss(fs, folder);
  expect(await hasLostMemory(fs, { folder, wasMember: true })).toBe(false);
});

test('[E14] a wiped follower catches up, tells of it, and then counts for a majority', async () => {
  cluster = await startCluster(3, { snapshotTrailingEntries: 0 });
  const leader = await cluster.elected();
  const client = new JsonClient(leader.node.clientAddress);
  for (let turn = 0; turn < 20; turn++) await client.ask({ command: 'set', key: `k${turn}`, value: 'v' });
  // What the wiped one needs stands in a snapshot.
  await leader.node.act({ kind: 'snapshot' });
  const wiped = cluster.nodes.find((node) => node !== leader);
  if (wiped === undefined) throw new Error('no follower');
  await wiped.node.stop('to be wiped');
  await rm(wiped.node.config.dataDir, { recursive: true });
  const back = await cluster.restart(wiped.id);
  const said = (type: string) => back.events.some(({ event }) => event.type === type);
  await waitUntil('the alarm comes and goes', () => said('alarmRaised') && said('alarmCleared'));
  expect(back.node.status().keyspace.keys).toBe(20);
  const mark = join(back.node.config.dataDir, 'memory-lost');
  await waitUntil('the mark is removed', () => !existsSync(mark));
  client.close();
  // The third goes down: leader and the one that was wiped are the majority now.
  const third = cluster.nodes.find(({ id }) => id !== leader.id && id !== wiped.id);
  await third?.node.stop('not needed');
  const again = new JsonClient((await cluster.elected()).node.clientAddress);
  expect(await again.ask({ command: 'get', key: 'k19' })).toMatchObject({ value: 'v' });
  expect(await again.ask({ command: 'set', key: 'after', value: 'w' })).toMatchObject({ status: 'ok' });
  again.close();
});

test('[E14] [M7] a wiped follower does not wait for a member that has left for good', async () => {
  cluster = await startCluster(4);
  const leader = await cluster.elected();
  const [wiped, gone] = cluster.nodes.filter((node) => node !== leader);
  if (wiped === undefined || gone === undefined) throw new Error('no followers');
  // It goes first and is removed then: nobody has heard its last word.
  await gone.node.stop('taken away');
  const client = new JsonClient(leader.node.clientAddress);
  const removed = await client.ask({ command: 'member_remove', node_id: gone.id });
  expect(removed).toMatchObject({ status: 'ok' });
  await wiped.node.stop('to be wiped');
  await rm(wiped.node.config.dataDir, { recursive: true });
  // Its settings still name all four.
  const back = await cluster.restart(wiped.id);
  const said = (type: string) => back.events.some(({ event }) => event.type === type);
  await waitUntil('the alarm comes and goes', () => said('alarmRaised') && said('alarmCleared'));
  expect(back.node.status().members.map(({ id }) => id)).not.toContain(gone.id);
  expect(await client.ask({ command: 'set', key: 'after', value: 'w' })).toMatchObject({ status: 'ok' });
  client.close();
});
