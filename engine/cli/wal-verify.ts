// wal verify: what a start of the node would find in its folder, without touching anything.
import type { Command } from 'commander';
import pc from 'picocolors';
import { type InspectedRecord, inspectLog, type LogVerification, verifyLog } from '../storage/log-inspect.ts';
import type { RecoveryVerdict } from '../storage/types.ts';
import { CliExitCode } from './exit-code.ts';
import {
  type InspectedSnapshot,
  inspectSnapshots,
  type NodeFolder,
  requireLog,
  snapshotPoint,
  withNodeFolder,
} from './node-folder.ts';
import { badMembers, recordLines } from './record-text.ts';
import { printJson, printLine } from './terminal.ts';
import { indexRange, repairCommand } from './wal-range.ts';

type BadRecord = Extract<InspectedRecord, { kind: 'bad' }>;

/** What recovery would say, and the bytes that made it say so. */
interface Finding {
  verdict: RecoveryVerdict;
  bad: BadRecord | null;
}

interface Verification {
  log: LogVerification;
  findings: Finding[];
  snapshots: InspectedSnapshot[];
  /** `tornTail`: a write that nobody had been promised was cut short, and nothing else. */
  verdict: 'sound' | 'tornTail' | 'damaged';
  /** Entries that were acknowledged once and are not there; half open. */
  missing: { from: number; to: number } | null;
}

export function addWalVerify(wal: Command): void {
  wal
    .command('verify')
    .argument('<folder>', 'of a stopped node')
    .description('check every record and snapshot of a folder, without touching anything')
    .option('--json', 'print the verdict as one line of JSON')
    .addHelpText(
      'after',
      `
It decides as the node itself would when it starts. A torn tail is the trace of a crash: its write was never
acknowledged, and the next start cuts it. Anything else that is not whole is damage: the node keeps what is
before it and does not vote until it has refetched the rest from the others.

Examples:
  quorumlab wal verify data/n1
  quorumlab wal verify data/n1 --json | jq .verdict

Exit codes:
  0  sound, or sound but for a torn tail, which is said
  1  damaged, or entries that were acknowledged are missing
  2  no such folder, no log in it, or a process has it; nothing was done
  3  the disk does not let itself be read`,
    )
    .action(async (folder: string, flags: { json?: true }) => {
      const verification = await withNodeFolder(folder, verify);
      if (flags.json) printJson(asJson(folder, verification));
      else for (const line of asLines(folder, verification)) printLine(line);
      if (verification.verdict === 'damaged') process.exitCode = CliExitCode.negative;
    });
}

async function verify(folder: NodeFolder): Promise<Verification> {
  requireLog(folder);
  const snapshots = await inspectSnapshots(folder);
  const log = await verifyLog(folder.fs, folder.path, snapshotPoint(snapshots));
  const findings = await findBytes(folder, log.verdicts);
  const isMissing = log.lastDurableIndexKnown > log.lastIndex;
  const isDamaged =
    isMissing ||
    log.verdicts.some(({ kind }) => kind !== 'tornTail') ||
    snapshots.some(({ problem }) => problem !== null);
  const verdict = isDamaged ? 'damaged' : log.verdicts.length > 0 ? 'tornTail' : 'sound';
  const missing = isMissing ? { from: log.lastIndex + 1, to: log.lastDurableIndexKnown + 1 } : null;
  return { log, findings, snapshots, verdict, missing };
}

/** The first bad record behind each verdict's offset, in its file. Reads the log again only where something is. */
async function findBytes(folder: NodeFolder, verdicts: readonly RecoveryVerdict[]): Promise<Finding[]> {
  const findings = verdicts.map((verdict): Finding => ({ verdict, bad: null }));
  if (findings.length === 0) return findings;
  for await (const record of inspectLog(folder.fs, folder.path)) {
    if (record.kind !== 'bad') continue;
    const finding = findings.find(
      ({ verdict, bad }) =>
        bad === null && verdict.file === record.file && record.offsetBytes >= verdict.offsetBytes,
    );
    // A copy: the record's bytes are a view of the whole segment.
    if (finding !== undefined) finding.bad = { ...record, bytes: record.bytes.slice() };
  }
  return findings;
}

function asJson(folder: string, { log, findings, snapshots, verdict, missing }: Verification): object {
  return {
    folder,
    verdict,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    missing: missing === null ? null : indexRange(missing),
    ...log.hardState,
    segments: log.segments,
    findings: findings.map(({ verdict: { kind, file, offsetBytes, lostBytes, message }, bad }) => ({
      kind,
      file,
      offsetBytes,
      lostBytes,
      message,
      bad:
        bad === null
          ? null
          : { offsetBytes: bad.offsetBytes, lengthBytes: bad.lengthBytes, ...badMembers(bad) },
    })),
    snapshots: snapshots.map(({ name, identity, sizeBytes, problem }) => ({
      name,
      lastIncludedIndex: identity?.lastIncludedIndex ?? null,
      sizeBytes,
      problem,
    })),
  };
}

function asLines(folder: string, verification: Verification): string[] {
  const { log, findings, snapshots, verdict, missing } = verification;
  const { currentTerm, votedFor, commitIndex } = log.hardState;
  const count = log.lastIndex - log.firstIndex + 1;
  const entries = count <= 0 ? 'no entries' : `entries ${log.firstIndex} to ${log.lastIndex}`;
  const lines = [
    `${folder}: ${headline(verdict)}`,
    `  log       ${entries} in ${log.segments} ${log.segments === 1 ? 'segment' : 'segments'}`,
    `  state     term ${currentTerm}, ${votedFor === 0 ? 'no vote' : `voted for n${votedFor}`}, committed at least to ${commitIndex}`,
    ...snapshots.map(
      ({ name, problem }) => `  snapshot  ${name}${problem === null ? '' : pc.red(`: ${problem.message}`)}`,
    ),
  ];
  for (const finding of findings) {
    lines.push('', `A start would say: ${finding.verdict.message}`);
    if (finding.bad !== null) lines.push(...recordLines(finding.bad));
  }
  if (verdict === 'tornTail') lines.push('', `The next start cuts it; so does: ${repairCommand(folder)}`);
  if (missing !== null) {
    lines.push(
      '',
      `Entries ${indexRange(missing)} may have been acknowledged by this node and are missing. Start it as it is: it`,
      'does not vote before it has refetched them from the others.',
    );
  }
  return lines;
}

function headline(verdict: Verification['verdict']): string {
  if (verdict === 'damaged') return pc.red('damaged');
  return verdict === 'sound' ? pc.green('sound') : `${pc.green('sound')}, with a torn tail`;
}
