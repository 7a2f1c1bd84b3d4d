// snapshot inspect: what the snapshots of a stopped node hold, and whether all of it is sound.
import type { Command } from 'commander';
import pc from 'picocolors';
import { type FileSystem, joinPath } from '../storage/file-system.ts';
import { hexView } from '../storage/log-inspect.ts';
import { CliExitCode, UsageError } from './exit-code.ts';
import {
  fileOf,
  type InspectedSnapshot,
  inspectOneSnapshot,
  inspectSnapshots,
  type NodeFolder,
  withNodeFolder,
} from './node-folder.ts';
import { printJson, printLine } from './terminal.ts';

/** One with the bytes at which it stops being sound. */
interface ShownSnapshot extends InspectedSnapshot {
  badBytes: Uint8Array | null;
}

const BAD_BYTES_SHOWN = 128;

export function addSnapshot(program: Command): void {
  const snapshot = program
    .command('snapshot')
    .description("look into a stopped node's snapshots: inspect")
    .addHelpText('after', '\nExample:\n  quorumlab snapshot inspect data/n1');
  snapshot
    .command('inspect')
    .argument('<path>', "a stopped node's folder, or one snapshot file in it")
    .description('check snapshots block by block, and tell what they stand for')
    .option('--json', 'one line of JSON a snapshot')
    .addHelpText(
      'after',
      `
Of a folder, all its snapshots are shown, newest first. A node that finds its newest one damaged starts from
the one before, and otherwise gets a fresh one from the leader.

Examples:
  quorumlab snapshot inspect data/n1
  quorumlab snapshot inspect data/n1/snapshot-000000000100-000000000003.snap
  quorumlab snapshot inspect data/n1 --json | jq .lastIncludedIndex

Exit codes:
  0  every one is sound
  1  one is damaged; where, is shown
  2  nothing is there, or a process has the folder; nothing was done
  3  the disk does not let itself be read`,
    )
    .action(async (path: string, flags: { json?: true }) => {
      const file = await fileOf(path);
      const shown = await withNodeFolder(file?.folder ?? path, (held) => inspect(held, file?.name ?? null));
      for (const each of shown) {
        if (flags.json) printJson(asJson(each));
        else for (const line of asLines(each)) printLine(line);
      }
      if (shown.some(({ problem }) => problem !== null)) process.exitCode = CliExitCode.negative;
    });
}

async function inspect(folder: NodeFolder, name: string | null): Promise<ShownSnapshot[]> {
  const found = name === null ? await inspectSnapshots(folder) : [await inspectOneSnapshot(folder, name)];
  if (found.length === 0) throw new UsageError(`${folder.shown} holds no snapshot (snapshot-….snap)`);
  const shown: ShownSnapshot[] = [];
  for (const each of found) {
    const badBytes =
      each.problem === null
        ? null
        : await readAt(folder.fs, joinPath(folder.path, each.name), each.problem.offsetBytes);
    shown.push({ ...each, badBytes });
  }
  return shown;
}

async function readAt(fs: FileSystem, path: string, offset: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(BAD_BYTES_SHOWN);
  const handle = await fs.open(path, 'read');
  try {
    return bytes.subarray(0, await handle.read(bytes, offset));
  } finally {
    await handle.close();
  }
}

function asJson({
  name,
  identity,
  sizeBytes,
  dataBlocks,
  dataBytes,
  problem,
  badBytes,
}: ShownSnapshot): object {
  return {
    file: name,
    sound: problem === null,
    lastIncludedIndex: identity?.lastIncludedIndex ?? null,
    lastIncludedTerm: identity?.lastIncludedTerm ?? null,
    configuration: identity?.configuration ?? null,
    sizeBytes,
    dataBlocks,
    dataBytes,
    problem: problem === null ? null : { ...problem, hex: Buffer.from(badBytes ?? []).toString('hex') },
  };
}

function asLines({
  name,
  identity,
  sizeBytes,
  dataBlocks,
  dataBytes,
  problem,
  badBytes,
}: ShownSnapshot): string[] {
  const lines = [`${name}: ${problem === null ? pc.green('sound') : pc.red('damaged')}`];
  if (identity !== null) {
    const { voters, votersOutgoing, learners } = identity.configuration;
    lines.push(
      `  stands for  entries up to ${identity.lastIncludedIndex}, term ${identity.lastIncludedTerm}`,
    );
    lines.push(
      `  members     ${[membersOf('voters', voters), membersOf('outgoing', votersOutgoing), membersOf('learners', learners)].filter((text) => text !== '').join('; ')}`,
    );
  }
  const before = problem === null ? '' : ' before the damage';
  lines.push(
    `  data        ${dataBytes} bytes in ${dataBlocks} blocks${before}; the file has ${sizeBytes} bytes`,
  );
  if (problem !== null) {
    lines.push(`  ${pc.red(problem.message)}`);
    for (const line of hexView(badBytes ?? new Uint8Array(0), problem.offsetBytes)) lines.push(`    ${line}`);
  }
  return lines;
}

function membersOf(title: string, ids: readonly number[]): string {
  return ids.length === 0 ? '' : `${title} ${ids.map((id) => `n${id}`).join(', ')}`;
}
