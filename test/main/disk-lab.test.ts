// The fault lab over real engine nodes: snapshots, power cuts, corrupt records, emptied folders, full disks.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChildProcessLauncher } from '../../src/main/cluster/child-process-launcher.ts';
import { createPanelHost, type PanelHost } from '../../src/main/cluster/panel-host.ts';
import type { ClusterView, NodeView } from '../../src/shared/cluster-view.ts';
import { leaderOf } from '../../src/shared/leader.ts';
import { reduceBatch } from '../../src/shared/reduce-batch.ts';
import { waitUntil } from './wait-until.ts';

const DEADLINE_MS = 40_000;

let root: string;
let host: PanelHost;
let view: ClusterView;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'quorumlab-disk-lab-'));
  host = await createPanelHost({
    launcher: createChildProcessLauncher({
      entryPath: resolve(import.meta.dirname, 'fixtures/engine-node.mjs'),
    }),
    dataDir: root,
    host: 'browser',
    version: '0.0.0',
    runtime: 'test',
    anyPorts: true,
  });
  view = await host.call('cluster:view', undefined);
  host.on('cluster:batch', (batch) => {
    view = reduceBatch(view, batch);
  });
  await host.started;
  await whole();
}, 60_000);

afterAll(async () => {
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

function node(nodeId: number): NodeView {
  const found = view.nodes.find(({ process }) => process.nodeId === nodeId);
  if (found === undefined) throw new Error(`no n${nodeId}`);
  return found;
}

/** All run and follow one leader, and none of them lacks its vote. */
function whole(): Promise<void> {
  const settled = () =>
    leaderOf(view) !== null &&
    view.nodes.every(
      ({ process, status }) =>
        process.state === 'running' &&
        status !== null &&
        status.raft.leaderId !== 0 &&
        status.alarms.length === 0,
    );
  return waitUntil('three voters with one leader', settled, DEADLINE_MS);
}

function leaderId(): number {
  return leaderOf(view)?.process.nodeId ?? 0;
}

function aFollower(): number {
  return view.nodes.map(({ process }) => process.nodeId).find((id) => id !== leaderId()) ?? 0;
}

function said(nodeId: number, text: RegExp): boolean {
  return view.feed.some((item) => item.nodeId === nodeId && text.test(JSON.stringify(item)));
}

async function run(line: string): Promise<string> {
  const reply = await host.call('console:execute', { line });
  const text = reply.lines.map((part) => part.text).join('\n');
  if (!reply.ok) throw new Error(text);
  return text;
}

it('a snapshot on demand stands in the status', async () => {
  for (let turn = 0; turn < 30; turn += 1) await run(`set key:${turn} v${turn}`);
  const nodeId = leaderId();
  await host.call('node:snapshot', { nodeId });
  await waitUntil('the snapshot is listed', () => (node(nodeId).status?.disk.snapshots.length ?? 0) > 0);
  expect(said(nodeId, /snapshotTaken/)).toBe(true);
});

it('power cut of all three at once: every acknowledged key is there', async () => {
  expect(await run('power-cut all 8842')).toMatch(/without power/);
  await waitUntil('all are dead', () => view.nodes.every(({ process }) => process.exit?.code === 75));
  await run('heal');
  await whole();
  expect(await run('get key:0')).toBe('"v0"');
  expect(await run('get key:29')).toBe('"v29"');
}, 60_000);

it('a corrupt record of a running follower shows at its next start, is fetched again, and is told until then', async () => {
  const nodeId = aFollower();
  // Behind any snapshot: a record that one covers would be missed by nobody.
  const before = node(nodeId).status?.raft.lastIndex ?? 0;
  for (let late = 0; late < 10; late++) await run(`set late:${late} v`);
  await waitUntil('the node has them', () => (node(nodeId).status?.raft.lastIndex ?? 0) >= before + 10);
  const reply = await run(`corrupt n${nodeId} ${before + 5}`);
  expect(reply).toMatch(/^Entry \d+ on n\d's disk is corrupt: bit [0-7] at offset \d+ of segment-\d+\.log/);
  expect(node(nodeId).process.state).toBe('running');
  await run(`restart n${nodeId}`);
  await waitUntil('recovery spoke', () => node(nodeId).recovery.length > 0);
  expect(node(nodeId).recovery[0]).toMatchObject({ rule: 'W8' });
  await whole();
  expect(said(nodeId, /alarmRaised.*refetching/)).toBe(true);
  expect(node(nodeId).recovery[0]?.message).toMatch(/corrupt at offset \d+/);
  await expect(run(`corrupt n${nodeId} 4000000000`)).rejects.toThrow(/the log has no entry 4000000000/);
}, 60_000);

it('a wiped node starts without a vote and catches up; a second one may not be wiped meanwhile', async () => {
  const nodeId = aFollower();
  const other = [1, 2, 3].find((id) => id !== nodeId && id !== leaderId()) ?? 0;
  await run(`wipe n${nodeId}`);
  await waitUntil('it is stopped', () => node(nodeId).process.state === 'stopped');
  expect(node(nodeId).process.exit?.reason).toMatch(/folder was emptied/);
  expect(existsSync(node(nodeId).process.dataDir)).toBe(false);
  await expect(run(`wipe n${other}`)).rejects.toThrow(/no memory yet/);
  expect(node(other).process.state).toBe('running');
  await run(`restart n${nodeId}`);
  await waitUntil('it says that it has no vote', () => said(nodeId, /its folder was emptied/));
  await whole();
  expect(readdirSync(node(nodeId).process.dataDir)).not.toContain('memory-lost');
  expect(await run('get key:29')).toBe('"v29"');
}, 60_000);

it('a full disk gives leadership away and clears by itself once healed', async () => {
  const before = leaderId();
  await run('fill leader');
  const writing = run('set during-full yes').catch(String);
  await waitUntil('alarm', () => node(before).status?.alarms.includes('noSpace') ?? false, DEADLINE_MS);
  await waitUntil('another leads', () => ![0, before].includes(leaderId()), DEADLINE_MS);
  await writing;
  expect(await run('set after-full yes')).toBe('OK');
  await run('heal');
  await whole();
  expect(said(before, /alarmCleared/)).toBe(true);
}, 60_000);
