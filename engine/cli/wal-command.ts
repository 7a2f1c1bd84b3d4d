// wal: what stands in a stopped node's log. This file is the group and `wal dump`.
import type { Command } from 'commander';
import { type InspectedRecord, inspectLog } from '../storage/log-inspect.ts';
import { integer } from './client-options.ts';
import { CliExitCode } from './exit-code.ts';
import { type NodeFolder, requireLog, withNodeFolder } from './node-folder.ts';
import { recordLines, recordMembers } from './record-text.ts';
import { printJson, printLine, remark } from './terminal.ts';
import { addWalRepair } from './wal-repair.ts';
import { addWalVerify } from './wal-verify.ts';

interface DumpFlags {
  from?: number;
  to?: number;
  limit?: number;
  json?: true;
}

export function addWal(program: Command): void {
  const wal = program
    .command('wal')
    .description("look into a stopped node's write-ahead log: dump, verify, repair")
    .addHelpText(
      'after',
      `
They work on the folder of a node that is not running (with \`cluster --data-dir data\`: data/n1, data/n2, …),
and hold its lock while they do. engine/storage/FORMAT.md has the format byte by byte.

Examples:
  quorumlab wal verify data/n1
  quorumlab wal dump data/n1 --from 41 --to 97
  quorumlab wal repair data/n1`,
    );
  addDump(wal);
  addWalVerify(wal);
  addWalRepair(wal);
}

function addDump(wal: Command): void {
  wal
    .command('dump')
    .argument('<folder>', 'of a stopped node')
    .description('print every record of the log with its byte offset, oldest segment first')
    .option('--from <index>', 'only entries from this index on', integer(1))
    .option('--to <index>', 'only entries up to this index, itself included', integer(1))
    .option('--limit <records>', 'stop after so many records', integer(1))
    .option('--json', 'one line of JSON a record')
    .addHelpText(
      'after',
      `
Offsets count bytes from the beginning of the segment file named above them. With --from or --to only entries
are printed. A bad record is always printed, with its bytes. An entry that comes again at an index the log
already had replaces that one and all behind it: what stands last, counts.

Examples:
  quorumlab wal dump data/n1
  quorumlab wal dump data/n1 --from 41 --to 97
  quorumlab wal dump data/n1 --limit 20
  quorumlab wal dump data/n1 --json | jq 'select(.command.key == "colour")'

Exit codes:
  0  every record that was read is whole
  1  a bad one was among them (a torn tail too: \`quorumlab wal verify\` tells which)
  2  no such folder, no log in it, or a process has it; nothing was done
  3  the disk does not let itself be read`,
    )
    .action(async (folder: string, flags: DumpFlags) => {
      const hadBad = await withNodeFolder(folder, (held) => dump(held, flags));
      if (hadBad) process.exitCode = CliExitCode.negative;
    });
}

/** Whether a bad record was among those that were read. */
async function dump(folder: NodeFolder, flags: DumpFlags): Promise<boolean> {
  requireLog(folder);
  const limit = flags.limit ?? Number.POSITIVE_INFINITY;
  let file = '';
  let printed = 0;
  let hadBad = false;
  for await (const record of inspectLog(folder.fs, folder.path)) {
    // Whoever read us through a pipe has seen enough.
    if (!process.stdout.writable) break;
    if (record.kind === 'bad' && !record.givenUp) hadBad = true;
    if (!isWanted(record, flags)) continue;
    if (printed === limit) {
      remark(`stopped after ${limit} records; there are more`);
      break;
    }
    printed++;
    if (flags.json) {
      printJson(recordMembers(record));
      continue;
    }
    if (record.file !== file) printLine(record.file);
    file = record.file;
    for (const line of recordLines(record)) printLine(line);
  }
  return hadBad;
}

function isWanted(record: InspectedRecord, { from, to }: DumpFlags): boolean {
  if (record.kind === 'bad' || (from === undefined && to === undefined)) return true;
  return record.kind === 'entry' && record.index >= (from ?? 1) && record.index <= (to ?? record.index);
}
