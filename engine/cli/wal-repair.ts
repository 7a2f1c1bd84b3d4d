// wal repair: cuts a torn tail; gives up acknowledged entries only when told which.
import type { Command } from 'commander';
import pc from 'picocolors';
import { type Repair, repairLog } from '../storage/log-repair.ts';
import { CliExitCode } from './exit-code.ts';
import {
  inspectSnapshots,
  type NodeFolder,
  requireLog,
  snapshotPoint,
  withNodeFolder,
} from './node-folder.ts';
import { printJson, printLine } from './terminal.ts';
import { type HalfOpenRange, indexRange, parseIndexRange, repairCommand } from './wal-range.ts';

interface RepairFlags {
  acceptLossOf?: HalfOpenRange;
  json?: true;
}

export function addWalRepair(wal: Command): void {
  wal
    .command('repair')
    .argument('<folder>', 'of a stopped node')
    .description('cut a torn tail; give up lost entries when nobody has them any more')
    .option(
      '--accept-loss-of <first..last>',
      'give up exactly these acknowledged entries, and let the node vote without them',
      parseIndexRange,
    )
    .option('--json', 'print what was done as one line of JSON')
    .addHelpText(
      'after',
      `
Most damage needs no repair: a damaged node that is started as it is refetches what it lost from the others, and
votes again once it has it. Only when no other node has those entries is giving them up the way on. Then this
refuses first, names the entries, and wants to hear them back. What it takes out of the log stays beside it as
….bad.

Examples:
  quorumlab wal repair data/n1
  quorumlab wal repair data/n1 --accept-loss-of 41..97

Exit codes:
  0  repaired, or there was nothing to repair
  1  refused: it would lose acknowledged entries; nothing was touched
  2  no such folder, no log in it, or a process has it; nothing was done
  3  the disk does not let itself be read or written`,
    )
    .action(async (folder: string, flags: RepairFlags) => {
      const repair = await withNodeFolder(folder, (held) => carryOut(held, flags.acceptLossOf));
      if (flags.json) printJson(asJson(folder, repair));
      else for (const line of asLines(folder, repair, flags.acceptLossOf)) printLine(line);
      if (repair.outcome === 'refused') process.exitCode = CliExitCode.negative;
    });
}

/** Twice at most: the first time to learn what would be lost, and whether that is what was accepted. */
async function carryOut(folder: NodeFolder, accepted: HalfOpenRange | undefined): Promise<Repair> {
  requireLog(folder);
  const { fs, path, lock } = folder;
  const snapshot = snapshotPoint(await inspectSnapshots(folder));
  const careful = await repairLog({ fs, folder: path, lock, snapshot, loseAcknowledged: false });
  if (careful.outcome !== 'refused' || accepted === undefined) return careful;
  if (accepted.from !== careful.lost.from || accepted.to !== careful.lost.to) return careful;
  return repairLog({ fs, folder: path, lock, snapshot, loseAcknowledged: true });
}

function asJson(folder: string, repair: Repair): object {
  if (repair.outcome === 'sound') return { folder, outcome: 'sound', lost: null, findings: [] };
  const { outcome, lost, verdicts } = repair;
  const isLoss = lost.to > lost.from;
  return {
    folder,
    outcome,
    lost: isLoss ? indexRange(lost) : null,
    ...(outcome === 'refused' ? { flag: `--accept-loss-of ${indexRange(lost)}` } : {}),
    findings: verdicts.map(({ kind, file, offsetBytes, lostBytes, message }) => ({
      kind,
      file,
      offsetBytes,
      lostBytes,
      message,
    })),
  };
}

function asLines(folder: string, repair: Repair, accepted: HalfOpenRange | undefined): string[] {
  if (repair.outcome === 'sound') return [`${folder}: ${pc.green('sound')}, nothing to repair`];
  const { lost, verdicts } = repair;
  const said = verdicts.map(({ message }) => `  ${message}`);
  if (repair.outcome === 'refused') {
    const range = indexRange(lost);
    const differs =
      accepted === undefined ? [] : [`You accepted ${indexRange(accepted)}; what is missing is ${range}.`];
    return [
      `${folder}: ${pc.red('refused')}, nothing was touched`,
      ...said,
      `Entries ${range} may have been acknowledged by this node and are missing.`,
      ...differs,
      'Start the node as it is: it does not vote before it has refetched them from the others. Only if no other',
      'node has them any more, give them up by name:',
      `  ${repairCommand(folder, lost)}`,
    ];
  }
  const lines = [`${folder}: ${pc.green('repaired')}`, ...said];
  if (lost.to > lost.from) {
    lines.push(
      pc.yellow(
        `Entries ${indexRange(lost)} are given up: the log ends at ${lost.from - 1}, and this node votes without them.`,
      ),
    );
  }
  return lines;
}
