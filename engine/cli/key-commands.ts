// get, set, delete, incr and cas: one key, one answer.
import { isUtf8 } from 'node:buffer';
import { type Command, Option } from 'commander';
import type { ClientValue } from '../protocol/json-client.ts';
import {
  type ReadFlags,
  type WriteFlags,
  withClient,
  withReadOptions,
  withWriteOptions,
  writeOptions,
} from './client-options.ts';
import { parseDuration } from './durations.ts';
import { CliExitCode, EXIT_CODES_HELP, UsageError } from './exit-code.ts';
import { describeReceipt, printJson, printLine, printValue, remark } from './terminal.ts';
import {
  parseValue,
  readStandardInput,
  shownInline,
  shownValue,
  type ValueFlags,
  valueMembers,
  withValueOption,
} from './values.ts';

export function addKeyCommands(program: Command): void {
  addGet(program);
  addSet(program);
  addDelete(program);
  addIncr(program);
  addCas(program);
}

function addGet(program: Command): void {
  withReadOptions(program.command('get').description('print the value of a key').argument('<key>'))
    .addHelpText(
      'after',
      `
Reads are linearizable: what they print was the newest acknowledged value at some moment after you asked.

Examples:
  quorumlab get user:1
  quorumlab get user:1 --json          {"key":"user:1","found":true,"value":"ada","revision":7,…}
  quorumlab get user:1 --stale -e 7003     what node 3 has, even if it is cut off
${EXIT_CODES_HELP}`,
    )
    .action(async (key: string, flags: ReadFlags) => {
      const read = await withClient(flags, (client) =>
        client.get(key, { consistency: flags.stale ? 'stale' : 'linearizable' }),
      );
      const { value, ...rest } = read;
      if (flags.json) printJson({ key, ...valueMembers(value), ...rest });
      else if (read.found) printValue(shownValue(value));
      else remark(`no key ${JSON.stringify(key)}`);
      if (!read.found) process.exitCode = CliExitCode.negative;
    });
}

interface SetFlags extends WriteFlags, ValueFlags {
  ttl?: number;
  onlyIf?: 'absent' | 'present';
}

function addSet(program: Command): void {
  withValueOption(
    withWriteOptions(
      program
        .command('set')
        .description('set a key, and return when a majority has it on disk')
        .argument('<key>')
        .argument('[value]', 'text; standard input when it is left out'),
    ),
  )
    .option('--ttl <duration>', 'the key ends after this: 500ms, 30s, 5m, 2h, 7d', parseDuration)
    .addOption(
      new Option('--only-if <state>', 'whether the key must be there').choices(['absent', 'present']),
    )
    .addHelpText(
      'after',
      `
Examples:
  quorumlab set user:1 ada
  quorumlab set config '{"retries":3}' --parse      store JSON, not text
  quorumlab set page < index.html
  quorumlab set session:7 ada --ttl 30m
  quorumlab set n 1 --client 0b9f3c1e-7a55-4b0e-9f0a-2f7d8f6f3f10 --seq 1
                                       safe to repeat by hand: the same pair applies once
${EXIT_CODES_HELP}`,
    )
    .action(async (key: string, text: string | undefined, flags: SetFlags) => {
      const value = text === undefined ? await valueFromInput(flags) : parseValue(text, flags);
      const { ttl: ttlMs, onlyIf } = flags;
      const written = await withClient(flags, (client) =>
        client.set(key, value, { ...writeOptions(flags), ttlMs, onlyIf }),
      );
      const { previous: _notAskedFor, ...result } = written;
      if (flags.json) printJson({ key, ...result });
      else if (written.written) {
        printLine('OK');
        remark(describeReceipt(written.receipt));
      } else remark(`the key is ${onlyIf === 'absent' ? 'there already' : 'not there'}`);
      if (!written.written) process.exitCode = CliExitCode.negative;
    });
}

function addDelete(program: Command): void {
  withWriteOptions(program.command('delete').alias('del').description('delete a key').argument('<key>'))
    .addHelpText(
      'after',
      `
Examples:
  quorumlab delete user:1
  quorumlab delete user:1 --json       {"key":"user:1","existed":true,…}
${EXIT_CODES_HELP}`,
    )
    .action(async (key: string, flags: WriteFlags) => {
      const deleted = await withClient(flags, (client) => client.delete(key, writeOptions(flags)));
      if (flags.json) printJson({ key, ...deleted });
      else if (deleted.existed) {
        printLine('OK');
        remark(describeReceipt(deleted.receipt));
      } else remark(`no key ${JSON.stringify(key)}`);
      if (!deleted.existed) process.exitCode = CliExitCode.negative;
    });
}

function addIncr(program: Command): void {
  withWriteOptions(
    program
      .command('incr')
      .description('add to a number, and print the sum')
      .argument('<key>')
      .argument('[by]', 'a signed 64-bit integer, 1 when left out'),
  )
    .addHelpText(
      'after',
      `
A missing key counts as 0. A retry after a lost reply does not count twice.

Examples:
  quorumlab incr visits
  quorumlab incr stock -- -3
${EXIT_CODES_HELP}`,
    )
    .action(async (key: string, step: string | undefined, flags: WriteFlags) => {
      const by = parseStep(step ?? '1');
      const { value, receipt } = await withClient(flags, (client) =>
        client.incr(key, by, writeOptions(flags)),
      );
      if (flags.json) printJson({ key, value, receipt });
      else {
        printLine(String(value));
        remark(describeReceipt(receipt));
      }
    });
}

interface CasFlags extends WriteFlags, ValueFlags {
  absent?: true;
}

function addCas(program: Command): void {
  withValueOption(
    withWriteOptions(
      program
        .command('cas')
        .description('set a key only if it has the expected value')
        .argument('<key>')
        .argument('<values...>', '<expected> <value>; with --absent just <value>'),
    ),
  )
    .option('--absent', 'the key must not exist')
    .addHelpText(
      'after',
      `
Examples:
  quorumlab cas config old new
  quorumlab cas lock:job worker-7 --absent      take a lock, unless somebody has it
  quorumlab cas counter 4 5 --parse             compare numbers, not text
${EXIT_CODES_HELP}`,
    )
    .action(async (key: string, values: string[], flags: CasFlags) => {
      if (values.length !== (flags.absent ? 1 : 2)) {
        throw new UsageError(
          `write: quorumlab cas <key> ${flags.absent ? '<value> --absent' : '<expected> <value>'}`,
        );
      }
      const expected: ClientValue = flags.absent ? null : parseValue(values[0] as string, flags);
      const value = parseValue(values.at(-1) as string, flags);
      const result = await withClient(flags, (client) =>
        client.cas(key, expected, value, writeOptions(flags)),
      );
      const { current, ...rest } = result;
      if (flags.json) printJson({ key, ...rest, current: valueMembers(current) });
      else if (result.swapped) {
        printLine('OK');
        remark(describeReceipt(result.receipt));
      } else remark(current === null ? 'no such key' : `it is ${shownInline(current)}`);
      if (!result.swapped) process.exitCode = CliExitCode.negative;
    });
}

function parseStep(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new UsageError(`"${text}" is no integer`);
  return BigInt(text);
}

/** Bytes that are no text stay bytes. */
async function valueFromInput(flags: ValueFlags): Promise<ClientValue> {
  const bytes = await readStandardInput('the value');
  return flags.parse || isUtf8(bytes) ? parseValue(bytes.toString('utf8'), flags) : bytes;
}
