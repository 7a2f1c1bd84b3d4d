// bulk-set: many keys in one log entry, all or nothing.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { BulkItem } from '../client/client.ts';
import type { JsonValue } from '../protocol/json-line.ts';
import { type WriteFlags, withClient, withWriteOptions, writeOptions } from './client-options.ts';
import { EXIT_CODES_HELP, UsageError } from './exit-code.ts';
import { describeReceipt, printJson, printLine, remark } from './terminal.ts';
import { parseValue, readStandardInput, type ValueFlags, withValueOption } from './values.ts';

interface BulkFlags extends WriteFlags, ValueFlags {
  file?: string;
}

export function addBulkSet(program: Command): void {
  withValueOption(
    withWriteOptions(
      program
        .command('bulk-set')
        .description('set many keys at once: all of them or none, whatever fails')
        .argument('[items...]', 'key=value'),
    ),
  )
    .option('-f, --file <file>', 'JSON Lines: {"key":k,"value":v} or [k,v] on each; - is standard input')
    .addHelpText(
      'after',
      `
Items come from the arguments, from --file, or from standard input when neither is given. They travel as one
log entry: no reader sees some of them, and two bulk writes of the same keys never mix. A later item with
the same key wins. A node takes 10,000 items unless told otherwise.

Examples:
  quorumlab bulk-set a=1 b=2 c=3
  quorumlab bulk-set --file users.jsonl
  quorumlab scan user: --lines | quorumlab bulk-set -e 127.0.0.1:8001      copy to another cluster
${EXIT_CODES_HELP}`,
    )
    .action(async (args: string[], flags: BulkFlags) => {
      const items = args.map((arg) => itemFromArgument(arg, flags));
      if (flags.file !== undefined) items.push(...parseJsonLines(await readItems(flags.file)));
      else if (args.length === 0)
        items.push(...parseJsonLines((await readStandardInput('the list of items')).toString('utf8')));
      if (items.length === 0) throw new UsageError('there are no items: nothing to set');
      const { count, receipt } = await withClient(flags, (client) =>
        client.bulkSet(items, writeOptions(flags)),
      );
      if (flags.json) printJson({ count, receipt });
      else {
        printLine(`OK ${count}`);
        remark(describeReceipt(receipt));
      }
    });
}

async function readItems(file: string): Promise<string> {
  if (file === '-') return (await readStandardInput('the list of items')).toString('utf8');
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--file: ${(error as Error).message}`);
  }
}

function itemFromArgument(argument: string, flags: ValueFlags): BulkItem {
  const equals = argument.indexOf('=');
  if (equals < 1) throw new UsageError(`"${argument}" is no item: write key=value`);
  return [argument.slice(0, equals), parseValue(argument.slice(equals + 1), flags)];
}

/** `{"key":k,"value":v}` or `[k,v]` on each line; empty lines are skipped. Throws a UsageError with the line's number. */
export function parseJsonLines(text: string): BulkItem[] {
  const items: BulkItem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const item = itemFromJson(line);
    if (item === null) {
      throw new UsageError(`line ${index + 1} is no item: write {"key":"k","value":"v"} or ["k","v"]`);
    }
    items.push(item);
  }
  return items;
}

function itemFromJson(line: string): BulkItem | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  if (Array.isArray(parsed)) {
    return parsed.length === 2 && typeof parsed[0] === 'string' ? [parsed[0], parsed[1] as JsonValue] : null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { key, value, encoding, key_encoding } = parsed as Record<string, unknown>;
  if (typeof key !== 'string' || value === undefined || key_encoding !== undefined) return null;
  if (encoding === undefined) return [key, value as JsonValue];
  return encoding === 'base64' && typeof value === 'string' ? [key, Buffer.from(value, 'base64')] : null;
}
