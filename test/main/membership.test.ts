// Members that come and go through the panel's host, over real engine nodes: what the console says, what the view
// shows, what the folder remembers. No window and no Electron.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createChildProcessLauncher } from '../../src/main/cluster/child-process-launcher.ts';
import { createPanelHost, type PanelHost } from '../../src/main/cluster/panel-host.ts';
import type { ClusterView, MemberStage } from '../../src/shared/cluster-view.ts';
import { leaderOf } from '../../src/shared/leader.ts';
import { membersOf } from '../../src/shared/membership.ts';
import { reduceBatch } from '../../src/shared/reduce-batch.ts';
import { waitUntil } from './wait-until.ts';

const DEADLINE_MS = 30_000;
const TEST_MS = 120_000;

let root: string;
let host: PanelHost;
let view: ClusterView;
/** Stages that any picture has shown, as `4 catchingUp`. */
let stages: string[];

async function open(): Promise<void> {
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
  stages = [];
  view = await host.call('cluster:view', undefined);
  host.on('cluster:batch', (batch) => {
    for (const item of batch.items) {
      if (item.type === 'memberChange') stages.push(`${item.change.nodeId} ${item.change.stage}`);
    }
    view = reduceBatch(view, batch);
  });
  await host.started;
}

function allUp(): Promise<void> {
  const settled = () =>
    leaderOf(view) !== null &&
    view.nodes.every(({ process, status }) => process.state === 'running' && status?.raft.leaderId);
  return waitUntil('all nodes run and one leads', settled, DEADLINE_MS);
}

function leaderId(): number {
  const leader = leaderOf(view);
  if (leader === null) throw new Error('nobody leads');
  return leader.process.nodeId;
}

const nodeIds = () => view.nodes.map(({ process }) => process.nodeId);
const addresses = () => view.nodes.map(({ process }) => `${process.clientAddress} ${process.peerAddress}`);

async function run(line: string): Promise<string> {
  const reply = await host.call('console:execute', { line });
  const text = reply.lines.map((part) => part.text).join('\n');
  if (!reply.ok) throw new Error(text);
  return text;
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'quorumlab-members-'));
  await open();
  await allUp();
}, TEST_MS);

afterEach(async () => {
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

it(
  'a fourth and a fifth node become voters, two of five may die, the leader can go, and all that is remembered',
  async () => {
    await run('set before yes');
    expect(await run('member add')).toMatch(
      /n4 has caught up and votes[\s\S]*majority is 3 of 4 votes, 4 up/,
    );
    const expected: MemberStage[] = ['starting', 'joining', 'catchingUp', 'promoting', 'done'];
    expect(stages.filter((stage, position) => stage !== stages[position - 1])).toEqual(
      expected.map((stage) => `4 ${stage}`),
    );
    await expect(host.call('member:add', { nodeId: 4 })).rejects.toThrow(/n4 is a member already/);
    await expect(host.call('member:add', {})).resolves.toEqual({ nodeId: 5 });
    await waitUntil('five vote', () => membersOf(view).voters.length === 5, DEADLINE_MS);
    await waitUntil('nothing is under way', () => view.changes.length === 0, DEADLINE_MS);

    const doomed = nodeIds()
      .filter((id) => id !== leaderId())
      .slice(0, 2);
    for (const id of doomed) await run(`kill n${id}`);
    expect(await run('set two-of-five-dead yes')).toBe('OK');
    await run('heal');
    await allUp();

    const old = leaderId();
    expect(await run('member remove leader')).toContain(`n${old} has left`);
    await waitUntil('it is gone', () => !nodeIds().includes(old), DEADLINE_MS);
    await waitUntil('another one leads', () => leaderOf(view) !== null, DEADLINE_MS);
    expect(stages).toContain(`${old} handingOver`);
    expect(existsSync(join(root, `n${old}`))).toBe(false);
    expect(readdirSync(join(root, 'removed'))).toEqual([expect.stringMatching(`^n${old}-`)]);
    expect(await run('get before')).toBe('"yes"');

    const [members, places] = [nodeIds(), addresses()];
    await host.close();
    await open();
    await allUp();
    expect(nodeIds()).toEqual(members);
    expect(addresses()).toEqual(places);
    expect([...membersOf(view).voters].sort()).toEqual(members);
    expect(await run('get two-of-five-dead')).toBe('"yes"');

    // Others have two of its ports now: the cluster is told where it is instead.
    await host.close();
    const squatters = members
      .filter((id) => id >= 4)
      .map((id) => {
        const place = places.at(members.indexOf(id))?.split(':').at(-1) ?? '';
        return createServer().listen(Number(place), '127.0.0.1');
      });
    await Promise.all(squatters.map((server) => once(server, 'listening')));
    await open();
    await allUp();
    expect(addresses()).not.toEqual(places);
    const told = () =>
      view.feed.filter((item) => item.source === 'deed' && /knows that n\d has moved/.test(item.text));
    const movedCount = members.filter((id) => id >= 4).length;
    await waitUntil('the cluster knows where they are', () => told().length === movedCount, DEADLINE_MS);
    for (const server of squatters) server.close();
    expect(await run('get before')).toBe('"yes"');

    await run('reset');
    await allUp();
    expect(nodeIds()).toEqual([1, 2, 3]);
    expect(await run('member list')).toContain('2 of 3 votes, 3 up');
    expect(readdirSync(root).filter((name) => /^(n\d|removed)$/.test(name))).toEqual(['n1', 'n2', 'n3']);
  },
  TEST_MS,
);

it(
  'what would lose the majority is refused in words, and nothing has changed',
  async () => {
    const [doomed = 0, other = 0] = nodeIds().filter((id) => id !== leaderId());
    await run(`kill n${doomed}`);
    const isDead = () => view.nodes.some(({ process }) => process.nodeId === doomed && process.pid === 0);
    await waitUntil('it is dead', isDead, DEADLINE_MS);
    await expect(run(`member remove n${other}`)).rejects.toThrow(
      /cannot be removed now.*only n\d is up, and a majority is 2/,
    );
    expect(await run(`member remove n${doomed} --delete`)).toContain(`n${doomed} has left`);
    expect(await run('member list')).toContain('2 of 2 votes, 2 up');
    await expect(run(`member add n${doomed}`)).rejects.toThrow(/An id is used once.*add n4 instead/);
    await expect(run('member remove n9')).rejects.toThrow(/There is no n9/);
    expect(existsSync(join(root, 'removed'))).toBe(false);
    expect(await run('set k v')).toBe('OK');
  },
  TEST_MS,
);

it(
  'a node that cannot start is not added, and leaves nothing behind',
  async () => {
    // A file where the folder must be.
    writeFileSync(join(root, 'n4'), 'in the way');
    await expect(host.call('member:add', {})).rejects.toThrow(/n4 ended at once/);
    await waitUntil('it is gone', () => nodeIds().length === 3, DEADLINE_MS);
    expect(membersOf(view).learners).toEqual([]);
  },
  TEST_MS,
);
