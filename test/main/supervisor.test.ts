import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createChildProcessLauncher } from '../../src/main/cluster/child-process-launcher.ts';
import { type ClusterFolder, openClusterFolder } from '../../src/main/cluster/cluster-folder.ts';
import { chooseNodePorts } from '../../src/main/cluster/node-ports.ts';
import { guardPausedProcess } from '../../src/main/cluster/pause-guard.ts';
import { Supervisor } from '../../src/main/cluster/supervisor.ts';
import type { ProcessView } from '../../src/shared/cluster-view.ts';
import { waitUntil } from './wait-until.ts';

const TINY_NODE = resolve(import.meta.dirname, 'fixtures/tiny-node.mjs');
const nodeIds = [1, 2, 3];

let root: string;
let folder: ClusterFolder;
let supervisor: Supervisor;
let changes: ProcessView[];
let deeds: string[];
let gone: number[];

function setMode(nodeId: number, mode: string): void {
  writeFileSync(join(folder.path, `mode-n${nodeId}`), mode);
}

function view(nodeId: number): ProcessView {
  const found = supervisor.processes().find((process) => process.nodeId === nodeId);
  if (found === undefined) throw new Error(`no n${nodeId}`);
  return found;
}

/** Linux's letter for a process: R, S, T (stopped), Z; empty when there is none. */
function processState(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .slice(0, 1);
  } catch {
    return '';
  }
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'quorumlab-supervisor-'));
  folder = await openClusterFolder({ path: join(root, 'cluster'), nodeIds, owner: 'test' });
  const { ports } = await chooseNodePorts(nodeIds, { anyPorts: true });
  changes = [];
  deeds = [];
  gone = [];
  supervisor = new Supervisor({
    folder,
    ports,
    launcher: createChildProcessLauncher({ entryPath: TINY_NODE }),
    listener: {
      onProcess: (process) => changes.push(process),
      onStatus: () => undefined,
      onEvents: () => undefined,
      onDeed: (text) => deeds.push(text),
      onStrike: () => undefined,
      onCluster: () => undefined,
      onGone: (nodeId) => gone.push(nodeId),
    },
  });
});

afterEach(async () => {
  supervisor.killAll();
  await waitUntil('all nodes end', () => supervisor.processes().every(({ pid }) => pid === 0));
  folder.close();
  rmSync(root, { recursive: true, force: true });
});

describe('a node', () => {
  it('is running once it says so, with its own pid and ports', async () => {
    await supervisor.startAll();
    for (const id of nodeIds) {
      expect(view(id)).toMatchObject({ state: 'running', restarts: 0, exit: null });
      expect(processState(view(id).pid)).not.toBe('');
    }
    expect(new Set(supervisor.processes().flatMap((p) => [p.clientAddress, p.peerAddress])).size).toBe(6);
    const order = changes.filter(({ nodeId }) => nodeId === 1).map(({ state }) => state);
    expect([...new Set(order)]).toEqual(['starting', 'running']);
  });

  it('that is killed is dead by SIGKILL, and known so within 100 ms of its end', async () => {
    await supervisor.startAll();
    const { pid } = view(1);
    const at = performance.now();
    void supervisor.kill(1);
    await waitUntil('n1 is crashed', () => view(1).state === 'crashed');
    expect(performance.now() - at).toBeLessThan(100);
    expect(view(1)).toMatchObject({
      pid: 0,
      exit: { code: null, signal: 'SIGKILL', reason: 'killed by SIGKILL' },
    });
    expect(processState(pid)).toBe('');
    expect(() => supervisor.kill(1)).toThrow(/n1 is not running: restart n1/);
  });

  it('that somebody else kills is told from one that was stopped', async () => {
    await supervisor.startAll();
    process.kill(view(2).pid, 'SIGTERM');
    await waitUntil('n2 is crashed', () => view(2).state === 'crashed');
    expect(view(2).exit?.reason).toBe('ended by SIGTERM');
    await supervisor.stop(3);
    expect(view(3)).toMatchObject({ state: 'stopped', exit: { code: 0, reason: 'stopped' } });
  });

  it('starts again on the same ports and folder, and counts it', async () => {
    await supervisor.startAll();
    const before = view(1);
    void supervisor.kill(1);
    await waitUntil('n1 is crashed', () => view(1).state === 'crashed');
    await supervisor.restart(1);
    const { clientAddress, peerAddress, dataDir } = before;
    expect(view(1)).toMatchObject({ state: 'running', restarts: 1, clientAddress, peerAddress, dataDir });
    expect(view(1).pid).not.toBe(before.pid);
  });

  it('that runs is stopped gracefully before it starts again; two clicks start it once', async () => {
    await supervisor.startAll();
    const first = supervisor.restart(1);
    await expect(supervisor.restart(1)).rejects.toThrow(/already/);
    await first;
    expect(view(1)).toMatchObject({ state: 'running', restarts: 1, exit: { code: 0 } });
  });

  it('that cannot start is crashed with the last line of its standard error', async () => {
    setMode(2, 'bad-configuration');
    await supervisor.startAll();
    expect(view(2).state).toBe('crashed');
    expect(view(2).exit?.reason).toBe(
      'its configuration, port or folder is unusable: port 7001 is taken by another program',
    );
    await expect(supervisor.restart(2)).rejects.toThrow(/n2 ended at once: .*7001 is taken/);
    expect(view(1).state).toBe('running');
  });

  it('that ignores a stop is killed after four seconds', async () => {
    setMode(1, 'ignores-stop');
    await supervisor.startAll();
    await supervisor.stop(1);
    expect(view(1)).toMatchObject({ state: 'crashed', exit: { signal: 'SIGKILL' } });
    expect(deeds.join()).toContain('did not stop within 4 s');
  });

  it('that refuses or dies during a request makes the request fail in words', async () => {
    await supervisor.startAll();
    await expect(supervisor.act(1, { kind: 'campaign' })).rejects.toThrow('n1: it is the leader already');
    await expect(supervisor.act(2, { kind: 'powerCut', seed: 1 })).rejects.toThrow(
      /n2 ended before it answered: power cut/,
    );
    expect(view(2).exit?.reason).toContain('power cut');
    await expect(supervisor.act(9, { kind: 'campaign' })).rejects.toThrow(
      /There is no n9: this cluster has n1, n2, n3/,
    );
  });
});

describe.skipIf(process.platform === 'win32')('pausing', () => {
  it('stops the process, refuses orders meanwhile, and wakes it', async () => {
    await supervisor.startAll();
    supervisor.pause(1);
    expect(view(1).state).toBe('paused');
    await waitUntil('n1 is stopped', () => processState(view(1).pid) === 'T');
    await expect(supervisor.act(1, { kind: 'snapshot' })).rejects.toThrow(/paused: resume n1 first/);
    expect(() => supervisor.pause(1)).toThrow(/paused already/);
    supervisor.resume(1);
    expect(view(1).state).toBe('running');
    await waitUntil('n1 goes on', () => processState(view(1).pid) !== 'T');
    await supervisor.act(1, { kind: 'snapshot' });
    expect(() => supervisor.resume(1)).toThrow(/not paused/);
  });

  it('a paused node can be killed and stopped', async () => {
    await supervisor.startAll();
    supervisor.pause(1);
    supervisor.pause(2);
    void supervisor.kill(1);
    await waitUntil('n1 is dead', () => view(1).state === 'crashed');
    await supervisor.stop(2);
    expect(view(2).state).toBe('stopped');
  });

  it('a paused process is woken when its panel is killed, and left alone when it was resumed', async () => {
    // A panel of its own: this test cannot kill the process that it runs in.
    const guardPath = resolve(import.meta.dirname, '../../src/main/cluster/pause-guard.ts');
    const panelScript = `
      const { guardPausedProcess } = await import(process.argv[1]);
      guardPausedProcess(Number(process.argv[2]));
      process.kill(Number(process.argv[2]), 'SIGSTOP');
      console.log('guarding');
      setInterval(() => {}, 1000);`;
    const node = spawn('sleep', ['60'], { detached: true });
    const panel = spawn(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      panelScript,
      guardPath,
      String(node.pid),
    ]);
    let output = '';
    panel.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await waitUntil('the panel guards', () => output.includes('guarding'));
    await waitUntil('it is stopped', () => processState(node.pid ?? 0) === 'T');
    panel.kill('SIGKILL');
    await waitUntil('the node wakes', () => processState(node.pid ?? 0) === 'S');

    const guard = guardPausedProcess(node.pid ?? 0);
    process.kill(node.pid ?? 0, 'SIGSTOP');
    await waitUntil('it is stopped', () => processState(node.pid ?? 0) === 'T');
    const guards = () =>
      execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.includes(`kill -CONT`) && line.endsWith(` ${node.pid}`));
    expect(guards().length).toBe(1);
    guard.release();
    await waitUntil('the guard is gone', () => guards().length === 0);
    expect(processState(node.pid ?? 0)).toBe('T');
    node.kill('SIGKILL');
  });
});

describe('faults', () => {
  const slow = (id: string) => ({
    id,
    operations: ['sync' as const],
    effect: { kind: 'delay' as const, delayMs: 5 },
  });

  it('are set, replaced by id, removed, and end with their process', async () => {
    await supervisor.startAll();
    await supervisor.applyDisk(1, slow('a'));
    await supervisor.applyDisk(1, slow('a'));
    await supervisor.removeFault(1, 'a');
    await expect(supervisor.removeFault(1, 'a')).rejects.toThrow(/no fault "a"/);
    await supervisor.applyDisk(1, slow('b'));
    void supervisor.kill(1);
    await waitUntil('n1 is dead', () => view(1).state === 'crashed');
    expect(deeds).toContain('The faults of n1 ended with its process');
    await supervisor.restart(1);
    await expect(supervisor.removeFault(1, 'b')).rejects.toThrow(/no fault "b"/);
  });

  it('a partition cuts every link between its sides, and one side alone means the rest', async () => {
    await supervisor.startAll();
    await supervisor.partition([[1]]);
    expect(deeds).toEqual(['Link n1 – n2 cut', 'Link n1 – n3 cut']);
    deeds.length = 0;
    await supervisor.partition([[1], [2], [3]]);
    expect(deeds.length).toBe(3);
    await expect(supervisor.partition([[1, 2, 3]])).rejects.toThrow(/Nothing to cut/);
    await expect(supervisor.partition([[1], [7]])).rejects.toThrow(/no n7/);
  });

  it('heal starts a node again whose kill is under way', async () => {
    await supervisor.startAll();
    const killed = supervisor.kill(3);
    await supervisor.heal();
    await killed;
    expect(view(3)).toMatchObject({ state: 'running', restarts: 1 });
  });

  it('heal removes faults, wakes the paused and starts the dead', async () => {
    await supervisor.startAll();
    await supervisor.applyDisk(1, slow('a'));
    supervisor.pause(2);
    void supervisor.kill(3);
    await waitUntil('n3 is dead', () => view(3).state === 'crashed');
    await supervisor.heal();
    expect(supervisor.processes().map(({ state }) => state)).toEqual(['running', 'running', 'running']);
    await expect(supervisor.removeFault(1, 'a')).rejects.toThrow();
  });
});

describe('the folder', () => {
  it('remembers its cluster id, belongs to its owner alone, and to one panel at a time', async () => {
    const { clusterId, path } = folder;
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, 'cluster.json')).mode & 0o777).toBe(0o600);
    await expect(openClusterFolder({ path, nodeIds, owner: 'other' })).rejects.toThrow(
      new RegExp(`in use by another Quorumlab \\(test, process ${process.pid}\\).*QUORUMLAB_DATA_DIR`),
    );
    folder.close();
    folder = await openClusterFolder({ path, nodeIds, owner: 'test' });
    expect(folder.clusterId).toBe(clusterId);
  });

  it('is free again after its panel was killed', async () => {
    folder.close();
    const lockPath = resolve(import.meta.dirname, '../../src/main/cluster/panel-lock.ts');
    const script = `
      const { acquirePanelLock } = await import(process.argv[1]);
      await acquirePanelLock(process.argv[2], 'doomed');
      console.log('locked');
      setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      script,
      lockPath,
      folder.path,
    ]);
    let output = '';
    other.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await waitUntil('the other panel has the folder', () => output.includes('locked'));
    const reopen = () => openClusterFolder({ path: folder.path, nodeIds, owner: 'test' });
    await expect(reopen()).rejects.toThrow(/doomed/);
    const gone = new Promise((done) => other.once('exit', done));
    other.kill('SIGKILL');
    await gone;
    folder = await reopen();
  });

  it('is emptied by a reset, and begins a new cluster on the same ports', async () => {
    await supervisor.startAll();
    const before = { clusterId: folder.clusterId, processes: supervisor.processes() };
    writeFileSync(join(folder.nodeDir(1), 'old-data'), 'x');
    await supervisor.reset();
    expect(folder.clusterId).not.toBe(before.clusterId);
    expect(readFileSync(join(folder.nodeDir(1), 'cluster'), 'utf8')).toBe(folder.clusterId);
    expect(statSync(join(folder.nodeDir(1), 'old-data'), { throwIfNoEntry: false })).toBeUndefined();
    expect(supervisor.processes().map(({ clientAddress }) => clientAddress)).toEqual(
      before.processes.map(({ clientAddress }) => clientAddress),
    );
  });

  it('that is ephemeral is gone at the end', async () => {
    const temporary = await openClusterFolder({ path: null, nodeIds, owner: 'test' });
    expect(temporary.ephemeral).toBe(true);
    temporary.close();
    expect(statSync(temporary.path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('with an unreadable cluster.json is refused, and says what to do', async () => {
    folder.close();
    writeFileSync(join(folder.path, 'cluster.json'), '{"version":');
    await expect(openClusterFolder({ path: folder.path, nodeIds, owner: 'test' })).rejects.toThrow(
      /cluster\.json cannot be understood.*away/,
    );
    rmSync(join(folder.path, 'cluster.json'));
    folder = await openClusterFolder({ path: folder.path, nodeIds, owner: 'test' });
  });
});
