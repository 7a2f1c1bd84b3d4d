// What the command line prints: results on standard output (one JSON line with --json), remarks and errors
// on standard error.
import { randomUUID } from 'node:crypto';
import pc from 'picocolors';
import type { Receipt } from '../client/operation.ts';
import type { ErrorReport } from './exit-code.ts';

/** A reader that closed the pipe early (`| head`) has what it wanted. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Integers beyond 2^53 are written with all their digits, which JSON allows and `JSON.stringify` cannot. */
export function toJson(value: object): string {
  let mark: string | null = null;
  const text = JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== 'bigint') return member;
    mark ??= randomUUID();
    return `${mark}${member}`;
  });
  return mark === null ? text : text.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
}

export function printJson(value: object): void {
  printLine(toJson(value));
}

/** A value as it is, bytes included, with a line end behind it. */
export function printValue(value: string | Uint8Array): void {
  process.stdout.write(value);
  process.stdout.write('\n');
}

export function remark(text: string): void {
  process.stderr.write(`${pc.dim(text)}\n`);
}

export function printError(report: ErrorReport, { json }: { json: boolean }): void {
  if (json) {
    const { exitCode, ...error } = report;
    printJson({ error, exitCode });
    return;
  }
  process.stderr.write(`${pc.red(report.outcome === 'unknown' ? 'unknown:' : 'error:')} ${report.message}\n`);
}

/** `n2 127.0.0.1:7002 · index 41, term 3 · 1.8 ms` and, when it took more than one, the attempts. */
export function describeReceipt(receipt: Receipt): string {
  const node = receipt.nodeId === null ? receipt.node : `n${receipt.nodeId} ${receipt.node}`;
  const parts = [node];
  if (receipt.index !== null) {
    parts.push(
      receipt.term === null ? `index ${receipt.index}` : `index ${receipt.index}, term ${receipt.term}`,
    );
  }
  if (receipt.attempts > 1) parts.push(`${receipt.attempts} attempts`);
  parts.push(`${receipt.elapsedMs.toFixed(1)} ms`);
  return parts.join(' · ');
}
