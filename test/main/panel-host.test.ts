// The panel's host over real engine nodes: what the console says, what the recorder shows, what the stopwatch
// measures. No window and no Electron.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChildProcessLauncher } from '../../src/main/cluster/child-process-launcher.ts';
import { createPanelHost, type PanelHost } from '../../src/main/cluster/panel-host.ts';
import type { ClusterBatch, ClusterView } from '../../src/shared/cluster-view.ts';
import { leaderOf } from '../../src/shared/leader.ts';
import { reduceBatch } from '../../src/shared/reduce-batch.ts';
import { waitUntil } from './wait-until.ts';

const DEADLINE_MS = 30_000;

let root: string;
let host: PanelHost;
/** What a window would have: the first picture, and every batch since. */
let view: ClusterView;
let batches: ClusterBatch[];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'quorumlab-host-'));
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
  batches = [];
  view = await host.call('cluster:view', undefined);
  host.on('cluster:batch', (batch) => {
    batches.push(batch);
    view = reduceBatch(view, batch);
  });
  await host.started;
  await allUp();
}, 60_000);

afterAll(async () => {
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

function allUp(): Promise<void> {
  const settled = () =>
    leaderOf(view) !== null &&
    view.nodes.every(
      ({ process, status }) => process.state === 'running' && status !== null && status.raft.leaderId !== 0,
    );
  return waitUntil('three nodes run and one leads', settled, DEADLINE_MS);
}

function leader(): { nodeId: number; term: number } {
  const node = leaderOf(view);
  if (node?.status == null) throw new Error('nobody leads');
  return { nodeId: node.process.nodeId, term: node.status.raft.currentTerm };
}

async function run(line: string): Promise<string> {
  const reply = await host.call('console:execute', { line });
  const text = reply.lines.map((part) => part.text).join('\n');
  if (!reply.ok) throw new Error(text);
  return text;
}

it('the console speaks every key command with the cluster', async () => {
  expect(await run('set greeting "hello world"')).toBe('OK');
  expect(await run('get greeting')).toBe('"hello world"');
  expect(await run('get nothing')).toBe('(nil)');
  expect(await run('cas lock nil me')).toBe('OK, swapped');
  await expect(run('cas lock nil you')).rejects.toThrow('Not swapped: the value is "me"');
  expect(await run('incr visits')).toBe('1');
  expect(await run('incr visits 41')).toBe('42');
  await expect(run('incr greeting')).rejects.toThrow(/INVALID_ARGUMENT/);
  expect(await run('bulk-set a:1=x a:2=y')).toBe('OK, 2 keys in one log entry');
  expect(await run('scan a:')).toBe('a:1  "x"\na:2  "y"\n2 keys');
  expect(await run('scan a: --limit 1')).toMatch(/1 key, and there are more/);
  expect(await run('del a:1 a:2 a:3')).toBe('2');
  expect(await run('del a:1')).toBe('0 (there was no such key)');
  expect(await run('ping')).toBe('PONG');
  expect(await run('help cas')).toContain('cas <key> <expected|nil> <new>');
  expect(await run('help')).toContain('partition');
});

it('the console gives keys an end, does transactions, and watches what happens', async () => {
  expect(await run('set session ada --ttl 1h')).toBe('OK, for 1 h');
  expect(await run('ttl session')).toMatch(/^\d{4}(\.\d)? s left$/);
  expect(await run('persist session')).toBe('OK, it stays');
  expect(await run('ttl session')).toBe('It has no end');
  expect(await run('expire session 2m')).toBe('OK, it ends in 2 min');
  await expect(run('expire nothing 2m')).rejects.toThrow('There is no such key');
  await expect(run('set session bob --nx')).rejects.toThrow('Not written: there is such a key already');

  const watch = await host.call('console:execute', { line: 'watch tx:' });
  expect(watch).toMatchObject({ ok: true, watchId: expect.any(Number) });
  const seen = () =>
    batches.flatMap(({ items }) =>
      items.flatMap((item) =>
        item.type === 'watch' && item.watchId === watch.watchId ? item.lines.map(({ text }) => text) : [],
      ),
    );
  expect(await run('txn if tx:a missing then set tx:a 1; incr tx:n 2 else get tx:a')).toBe(
    'then: the conditions hold\nset tx:a: done\nincr tx:n: 2',
  );
  expect(await run('txn if tx:a missing then set tx:a 1 else get tx:a; ttl tx:a')).toBe(
    'else: a condition does not hold\nget tx:a: "1"\nttl tx:a: no end',
  );
  await run('del tx:a');
  await waitUntil('the watch has seen it', () => seen().length >= 3, DEADLINE_MS);
  expect(seen()).toEqual([
    expect.stringMatching(/^@\d+ +put +tx:a {2}"1"$/),
    expect.stringMatching(/^@\d+ +put +tx:n {2}2$/),
    expect.stringMatching(/^@\d+ +delete +tx:a$/),
  ]);
  expect(await run(`unwatch ${watch.watchId}`)).toBe('The watch ends');
  await waitUntil('its end is told', () => seen().at(-1) === 'The watch has ended', DEADLINE_MS);
  await expect(run(`unwatch ${watch.watchId}`)).rejects.toThrow(/There is no watch/);
});

it('a receipt names the leader, the term, and an index that rises', async () => {
  const first = await host.call('console:execute', { line: 'set k 1' });
  const second = await host.call('console:execute', { line: 'set k 2' });
  expect(first.receipt).toMatchObject({ node: leader().nodeId, term: leader().term });
  expect(second.receipt?.index).toBeGreaterThan(first.receipt?.index ?? Infinity);
  expect(await run('status')).toMatch(
    new RegExp(`n${leader().nodeId} leads in term ${leader().term}; 3 of 3`),
  );
});

it('killing the leader under load: one gap between acknowledgements, and never a dead leader in any picture', async () => {
  const before = leader();
  const start = structuredClone(view);
  const from = batches.length;
  const gapsBefore = view.failovers.length;
  await run('load 300 --clients 8 --bytes 32');
  await waitUntil('the load runs', () => view.workload.acknowledged > 100, DEADLINE_MS);
  await run('kill leader');
  const ended = () => view.failovers.length > gapsBefore && view.failovers.at(-1)?.gapMs != null;
  await waitUntil('clients can write again', ended, DEADLINE_MS);
  const acknowledged = view.workload.acknowledged;
  await waitUntil('the load goes on', () => view.workload.acknowledged > acknowledged + 100, DEADLINE_MS);
  await run('load stop');

  const gap = view.failovers.at(-1);
  expect(gap).toMatchObject({
    fromLeader: before.nodeId,
    fromTerm: before.term,
    measuredFrom: 'acknowledgement',
  });
  expect(gap?.gapMs).toBeGreaterThan(1);
  expect(gap?.toTerm).toBeGreaterThan(before.term);
  expect(gap?.toLeader).toBe(leader().nodeId);
  expect(view.workload.failed).toBe(0);

  let picture = start;
  const leaders = new Map<number, number>();
  for (const batch of batches.slice(from)) {
    picture = reduceBatch(picture, batch);
    for (const { process, status } of picture.nodes) {
      if (status?.raft.role !== 'leader') continue;
      expect(process.state).toBe('running');
      const { currentTerm } = status.raft;
      expect(leaders.get(currentTerm) ?? process.nodeId).toBe(process.nodeId);
      leaders.set(currentTerm, process.nodeId);
    }
  }
  expect(leaders.size).toBeGreaterThanOrEqual(2);
  await run('heal');
  await allUp();
}, 90_000);

it('the node that was away catches up after its restart', async () => {
  const follower = view.nodes.find(({ status }) => status?.raft.role === 'follower')?.process.nodeId ?? 0;
  await host.call('node:kill', { nodeId: follower });
  await run('set while-away yes');
  await run(`restart n${follower}`);
  const indexOf = (id: number) =>
    view.nodes.find(({ process }) => process.nodeId === id)?.status?.raft.lastApplied ?? 0;
  const leaderIndex = indexOf(leader().nodeId);
  await waitUntil('it has applied what the leader has', () => indexOf(follower) >= leaderIndex, DEADLINE_MS);
}, 60_000);

it('an idle cluster gets its gap measured by probes that leave no key behind', async () => {
  await allUp();
  const gapsBefore = view.failovers.length;
  const before = leader();
  const keys = await run('scan');
  await waitUntil(
    'no client has written lately',
    () => view.at - (view.samples.findLast(({ writesPerSecond }) => writesPerSecond > 0)?.at ?? 0) > 1000,
    DEADLINE_MS,
  );
  await host.call('node:kill', { nodeId: before.nodeId });
  const ended = () => view.failovers.length > gapsBefore && view.failovers.at(-1)?.gapMs != null;
  await waitUntil('a probe is acknowledged', ended, DEADLINE_MS);
  expect(view.failovers.at(-1)).toMatchObject({ measuredFrom: 'loss', fromLeader: before.nodeId });
  expect(view.failovers.at(-1)?.cause).toContain('killed by SIGKILL');
  expect(await run('scan')).toBe(keys);
  await run('heal');
  await allUp();
}, 90_000);

it('a reset empties the cluster, draws a new id and forgets the failovers', async () => {
  const { clusterId } = view;
  await run('reset');
  await allUp();
  expect(view.clusterId).not.toBe(clusterId);
  expect(view.failovers).toEqual([]);
  expect(await run('scan')).toBe('0 keys');
}, 60_000);

it('what the host shows is what a window has put together from batches', async () => {
  expect(batches.map(({ sequence }) => sequence)).toEqual(
    batches.map((_, position) => (batches[0]?.sequence ?? 0) + position),
  );
  const now = await host.call('cluster:view', undefined);
  expect(view.nodes).toEqual(now.nodes);
  expect(view.feed).toEqual(now.feed);
});
