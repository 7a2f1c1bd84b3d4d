// `quorumlab wal` and `quorumlab snapshot` on folders that real nodes wrote: what they show, what they refuse,
// and what becomes of a node that was damaged, repaired and started again.
import { cp, mkdtemp, open as openFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeFileSystem } from '../../engine/storage/node-file-system.ts';
import { SnapshotStore } from '../../engine/storage/snapshot-store.ts';
import { TestCluster, type TestNode } from './harness.ts';
import { staleView } from './load.ts';
import { cli, type Finished } from './run-cli.ts';

interface EntryLine {
  record: string;
  file: string;
  offsetBytes: number;
  lengthBytes: number;
  index: number;
  command?: Record<string, unknown>;
}

const KEYS = 30;
let cluster: TestCluster;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'quorumlab-wal-'));
  cluster = await TestCluster.start();
  const client = cluster.client();
  await client.set('colour', 'blue');
  await client.bulkSet([
    ['a', '1'],
    ['b', { deep: true }],
  ]);
  await client.set('bytes', Uint8Array.of(0xff, 0xfe));
  for (let n = 0; n < KEYS; n++) await client.set(`k${n}`, `v${n}`);
  await cluster.converged();
});

afterAll(async () => {
  await cluster.stop();
  await rm(scratch, { recursive: true, force: true });
});

async function follower(): Promise<TestNode> {
  const [found] = await cluster.followers();
  if (found === undefined) throw new Error('no follower');
  return found;
}

async function entriesOf(folder: string): Promise<EntryLine[]> {
  const { stdout } = await cli(['wal', 'dump', folder, '--json']);
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as EntryLine).filter(({ record }) => record === 'entry');
}

/** Overwrites one byte in the middle of the entry that sets `key`, as a bad disk would. Returns the entry. */
async function damage(folder: string, key: string): Promise<EntryLine> {
  const entry = (await entriesOf(folder)).findLast(({ command }) => command?.key === key);
  if (entry === undefined) throw new Error(`no entry sets ${key}`);
  const file = await openFile(join(folder, entry.file), 'r+');
  try {
    const at = entry.offsetBytes + entry.lengthBytes - 1;
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, at);
    await file.write(Uint8Array.of((byte[0] as number) ^ 0x20), 0, 1, at);
    await file.sync();
  } finally {
    await file.close();
  }
  return entry;
}

function dataOf({ stdout }: Finished): Record<string, unknown> {
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The node has every key again, with the right value. */
async function expectWhole(node: TestNode): Promise<void> {
  await cluster.converged();
  const view = await staleView(node);
  for (let n = 0; n < KEYS; n++) expect(view.get(`k${n}`)).toBe(`v${n}`);
}

test('a running node’s folder is refused, and says which process has it', async () => {
  const node = await follower();
  for (const args of [
    ['wal', 'dump'],
    ['wal', 'verify'],
    ['wal', 'repair'],
    ['snapshot', 'inspect'],
  ]) {
    const refused = await cli([...args, node.dataDir]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(`process ${node.pid}`);
  }
  expect(node.running).toBe(true);
});

describe('a sound folder', () => {
  let folder: string;

  beforeAll(async () => {
    const node = await follower();
    await node.stop();
    folder = join(scratch, 'sound');
    await cp(node.dataDir, folder, { recursive: true });
    await node.start();
  });

  test('dump shows every record at its offset, and commands in words', async () => {
    const { code, stdout } = await cli(['wal', 'dump', folder]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^segment-000000000001\.log\n {9}0 {2}segment 1: begins the log/);
    expect(stdout).toContain('set "colour" = "blue" · client ');
    expect(stdout).toContain('bulk-set of 2: "a" = "1", "b" = {"deep":true}');
    expect(stdout).toContain('set "bytes" = base64://4=');
    expect(stdout).toMatch(/zeros to the end, \d+ bytes/);
  });

  test('--from, --to and --limit choose; --json is one object a line', async () => {
    const all = await entriesOf(folder);
    expect(all.map(({ index }) => index)).toEqual(all.map((_, at) => at + 1));
    expect(all.find(({ command }) => command?.key === 'bytes')?.command).toEqual({
      type: 'set',
      key: 'bytes',
      value: '//4=',
      encoding: 'base64',
    });
    const some = await cli(['wal', 'dump', folder, '--from', '5', '--to', '7']);
    expect(some.stdout.match(/entry \d+/g)).toEqual(['entry 5', 'entry 6', 'entry 7']);
    const few = await cli(['wal', 'dump', folder, '--from', '5', '--limit', '2', '--json']);
    expect(few.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(few.stderr).toContain('stopped after 2 records');
  });

  test('verify says sound; repair finds nothing to do; neither leaves a trace', async () => {
    const before = await readdir(folder);
    const verified = await cli(['wal', 'verify', folder, '--json']);
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    expect(dataOf(verified)).toMatchObject({ verdict: 'sound', firstIndex: 1, missing: null, findings: [] });
    const repaired = await cli(['wal', 'repair', folder]);
    expect(repaired).toMatchObject({ code: 0, stdout: `${folder}: sound, nothing to repair\n` });
    expect(await readdir(folder)).toEqual(before);
  });

  test('a torn tail is told from damage, and repair cuts it', async () => {
    const torn = join(scratch, 'torn');
    await cp(folder, torn, { recursive: true });
    const { stdout } = await cli(['wal', 'dump', torn, '--json']);
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EntryLine);
    const blankAt = records.findIndex(({ record }) => record === 'blank');
    const last = records[blankAt - 1];
    if (last === undefined) throw new Error('the log is empty');
    const file = await openFile(join(torn, last.file), 'r+');
    await file.write(new Uint8Array(60), 0, 60, last.offsetBytes + last.lengthBytes - 60);
    await file.close();

    const verified = await cli(['wal', 'verify', torn]);
    expect(verified.code).toBe(0);
    expect(verified.stdout).toContain('with a torn tail');
    expect(verified.stdout).toContain(`quorumlab wal repair ${torn}`);
    expect((await cli(['wal', 'dump', torn])).code).toBe(1);
    const repaired = await cli(['wal', 'repair', torn]);
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toContain('cut a torn write');
    expect(dataOf(await cli(['wal', 'verify', torn, '--json']))).toMatchObject({ verdict: 'sound' });
  });
});

describe('a damaged record', () => {
  test('verify shows offset and bytes; the node, started as it is, refetches', async () => {
    const node = await follower();
    await node.stop();
    const { file, offsetBytes, index } = await damage(node.dataDir, 'k7');
    const verified = await cli(['wal', 'verify', node.dataDir]);
    expect(verified.code).toBe(1);
    expect(verified.stdout).toContain(`corrupt at offset ${offsetBytes} of ${file}`);
    expect(verified.stdout).toContain(`\n${' '.repeat(12)}${offsetBytes.toString(16).padStart(8, '0')}  `);
    expect(verified.stdout).toMatch(/ {2}\S*\.k7/);
    expect(dataOf(await cli(['wal', 'verify', node.dataDir, '--json']))).toMatchObject({
      verdict: 'damaged',
      lastIndex: index - 1,
      missing: expect.stringMatching(new RegExp(`^${index}\\.\\.\\d+$`)),
      findings: [
        { kind: 'corruption', file, bad: { offsetBytes, hex: expect.stringMatching(/^[0-9a-f]+$/) } },
      ],
    });
    const dumped = await cli(['wal', 'dump', node.dataDir, '--from', String(index)]);
    expect(dumped.code).toBe(1);
    expect(dumped.stdout).toMatch(/BAD, \d+ bytes from 0x[0-9a-f]+: CRC is/);
    await node.start();
    const said = node.events.map(({ event }) => (event.type === 'recovery' ? event.message : ''));
    expect(said.join('\n')).toContain(`corrupt at offset ${offsetBytes} of ${file}`);
    await expectWhole(node);
  });

  test('repair refuses to lose acknowledged entries, names the flag, and obeys it; the node refetches from the others', async () => {
    const node = await follower();
    await node.stop();
    const { index } = await damage(node.dataDir, 'k20');
    const before = await readdir(node.dataDir);
    const refused = await cli(['wal', 'repair', node.dataDir]);
    expect(refused).toMatchObject({ code: 1, stderr: '' });
    const flag = /--accept-loss-of (\d+)\.\.(\d+)/.exec(refused.stdout);
    const [, first, last] = flag ?? [];
    expect(Number(first)).toBe(index);
    expect(refused.stdout).toContain(
      `quorumlab wal repair ${node.dataDir} --accept-loss-of ${first}..${last}`,
    );
    const wrong = ['wal', 'repair', node.dataDir, '--accept-loss-of', `${first}..${Number(last) - 1}`];
    expect(await cli(wrong)).toMatchObject({ code: 1, stdout: expect.stringContaining('You accepted') });
    expect(await readdir(node.dataDir)).toEqual(before);

    const accepted = ['wal', 'repair', node.dataDir, '--accept-loss-of', `${first}..${last}`, '--json'];
    const repaired = await cli(accepted);
    expect(repaired).toMatchObject({ code: 0, stderr: '' });
    expect(dataOf(repaired)).toMatchObject({ outcome: 'repaired', lost: `${first}..${last}` });
    expect(dataOf(await cli(['wal', 'verify', node.dataDir, '--json']))).toMatchObject({
      verdict: 'sound',
      lastIndex: index - 1,
    });
    await node.start();
    expect(node.status?.alarms ?? []).toEqual([]);
    await expectWhole(node);
    await cluster.client().set('after', 'repair');
  });
});

describe('wrong usage', () => {
  test.each([
    [['wal', 'verify', 'no-such-folder'], 'does not exist'],
    [['wal', 'dump'], "missing required argument 'folder'"],
    [['wal', 'repair', '.', '--accept-loss-of', '7-9'], 'write first..last'],
    [['snapshot', 'inspect', 'no-such-file'], 'does not exist'],
  ])('quorumlab %j', async (args, words) => {
    expect(await cli(args, { cwd: scratch })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(words),
    });
    const line = await cli([...args, '--json'], { cwd: scratch });
    expect(line).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(line.stdout)).toMatchObject({ error: { code: 'USAGE' }, exitCode: 2 });
  });

  test('the folder of a whole cluster points at its nodes', async () => {
    const wrong = await cli(['wal', 'verify', cluster.folder]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('n1, n2, n3') });
  });
});

test('snapshot inspect tells what a snapshot stands for, and where it is damaged', async () => {
  const folder = await mkdtemp(join(scratch, 'snapshots-'));
  const store = await SnapshotStore.open({ fs: createNodeFileSystem(), folder });
  const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [] };
  for (const lastIncludedIndex of [50, 90]) {
    const writer = await store.begin({ lastIncludedIndex, lastIncludedTerm: 4, configuration });
    await writer.write(new Uint8Array(600_000).fill(7));
    await writer.finish();
  }
  const sound = await cli(['snapshot', 'inspect', folder]);
  expect(sound).toMatchObject({ code: 0, stderr: '' });
  expect(sound.stdout).toContain('entries up to 90, term 4');
  expect(sound.stdout).toContain('voters n1, n2, n3');
  expect(sound.stdout).toContain('600000 bytes in 3 blocks');

  const [newest] = store.snapshots;
  const path = join(folder, newest?.name ?? '');
  const file = await openFile(path, 'r+');
  await file.write(Uint8Array.of(8), 0, 1, 300_000);
  await file.close();
  const damaged = await cli(['snapshot', 'inspect', path]);
  expect(damaged.code).toBe(1);
  expect(damaged.stdout).toMatch(/corrupt at offset (\d+): no whole block/);
  expect(damaged.stdout).toMatch(/\n {4}[0-9a-f]{8} {2}([0-9a-f]{2} ){15}/);
  const lines = (await cli(['snapshot', 'inspect', folder, '--json'])).stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { sound: false, lastIncludedIndex: 90, dataBlocks: 1, problem: { hex: expect.any(String) } },
    { sound: true, lastIncludedIndex: 50, dataBlocks: 3, problem: null },
  ]);
  expect(await readdir(folder)).toHaveLength(2);
});

test('a log that was cut behind a snapshot is sound, and so is the snapshot', async () => {
  const node = await follower();
  await node.act({ kind: 'snapshot' });
  const applied = node.status?.raft.lastApplied ?? 0;
  await node.stop();
  const inspected = await cli(['snapshot', 'inspect', node.dataDir, '--json']);
  expect(inspected).toMatchObject({ code: 0, stderr: '' });
  const { lastIncludedIndex, configuration } = dataOf(inspected);
  expect(configuration).toMatchObject({ voters: [1, 2, 3] });
  expect(lastIncludedIndex).toBeGreaterThanOrEqual(applied);
  const verified = await cli(['wal', 'verify', node.dataDir, '--json']);
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(dataOf(verified)).toMatchObject({
    verdict: 'sound',
    firstIndex: Number(lastIncludedIndex) + 1,
    snapshots: [{ lastIncludedIndex, problem: null }],
  });
  await node.start();
  await expectWhole(node);
});
