// ttl, expire and persist: when a key ends.
import type { Command } from 'commander';
import {
  type ReadFlags,
  type WriteFlags,
  withClient,
  withReadOptions,
  withWriteOptions,
  writeOptions,
} from './client-options.ts';
import { describeDuration, parseDuration } from './durations.ts';
import { CliExitCode, EXIT_CODES_HELP } from './exit-code.ts';
import { describeReceipt, printJson, printLine, remark } from './terminal.ts';

export function addTtlCommands(program: Command): void {
  addTtl(program);
  addExpire(program);
  addPersist(program);
}

function addTtl(program: Command): void {
  withReadOptions(program.command('ttl').description('print how long a key has left').argument('<key>'))
    .addHelpText(
      'after',
      `
Examples:
  quorumlab ttl session:7              25.3s
  quorumlab ttl session:7 --json       {"key":"session:7","exists":true,"ttlMs":25310,"expiresAt":1790000000000,…}
${EXIT_CODES_HELP}`,
    )
    .action(async (key: string, flags: ReadFlags) => {
      const read = await withClient(flags, (client) =>
        client.ttl(key, { consistency: flags.stale ? 'stale' : 'linearizable' }),
      );
      if (flags.json) printJson({ key, ...read });
      else if (!read.exists) remark(`no key ${JSON.stringify(key)}`);
      else printLine(read.ttlMs === null ? 'no end' : describeDuration(read.ttlMs));
      if (!read.exists) process.exitCode = CliExitCode.negative;
    });
}

function addExpire(program: Command): void {
  withWriteOptions(
    program
      .command('expire')
      .description('give a key an end')
      .argument('<key>')
      .argument('<duration>', 'from now on: 500ms, 30s, 5m, 2h, 7d', parseDuration),
  )
    .addHelpText(
      'after',
      `
The end is decided by the cluster's own time, and comes on all nodes at the same entry of the log.

Examples:
  quorumlab expire session:7 30s
${EXIT_CODES_HELP}`,
    )
    .action(async (key: string, durationMs: number, flags: WriteFlags) => {
      const result = await withClient(flags, (client) => client.expire(key, durationMs, writeOptions(flags)));
      report(key, result, flags, 'no such key');
    });
}

function addPersist(program: Command): void {
  withWriteOptions(program.command('persist').description("take a key's end away").argument('<key>'))
    .addHelpText('after', `\nExamples:\n  quorumlab persist session:7\n${EXIT_CODES_HELP}`)
    .action(async (key: string, flags: WriteFlags) => {
      const result = await withClient(flags, (client) => client.persist(key, writeOptions(flags)));
      report(key, result, flags, 'no such key, or it has no end');
    });
}

function report(
  key: string,
  result: { changed: boolean; receipt: Parameters<typeof describeReceipt>[0] },
  flags: WriteFlags,
  otherwise: string,
): void {
  if (flags.json) printJson({ key, ...result });
  else if (result.changed) {
    printLine('OK');
    remark(describeReceipt(result.receipt));
  } else remark(otherwise);
  if (!result.changed) process.exitCode = CliExitCode.negative;
}
