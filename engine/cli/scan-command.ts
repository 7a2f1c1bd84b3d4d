// scan: keys in order, page by page.
import type { Command } from 'commander';
import type { ScanOptions } from '../client/client.ts';
import type { ReplyItem } from '../protocol/json-client.ts';
import { integer, type ReadFlags, withClient, withReadOptions } from './client-options.ts';
import { EXIT_CODES_HELP } from './exit-code.ts';
import { printJson, printLine, remark, toJson } from './terminal.ts';
import { itemMembers, shownInline } from './values.ts';

interface ScanFlags extends ReadFlags {
  start?: string;
  end?: string;
  limit: number;
  all?: true;
  cursor?: string;
  keys?: true;
  lines?: true;
}

const PAGE_ITEMS = 1000;

export function addScan(program: Command): void {
  withReadOptions(
    program
      .command('scan')
      .description('list keys and values in key order')
      .argument('[prefix]', 'only keys that begin with it'),
  )
    .option('--start <key>', 'first key, itself included')
    .option('--end <key>', 'where to stop, itself not included')
    .option('-n, --limit <items>', 'how many items', integer(1), 100)
    .option('--all', 'as many as there are')
    .option('--cursor <cursor>', 'go on where a scan stopped')
    .option('--keys', 'print keys only')
    .option('--lines', 'print one line of JSON for each item, which bulk-set reads')
    .addHelpText(
      'after',
      `
Pages of ${PAGE_ITEMS} items are each read at one moment; keys written between two pages may or may not appear.

Examples:
  quorumlab scan                       the first 100 keys
  quorumlab scan user: --keys
  quorumlab scan --start a --end b --all
  quorumlab scan --all --lines > backup.jsonl
${EXIT_CODES_HELP}`,
    )
    .action(async (prefix: string | undefined, flags: ScanFlags) => {
      await withClient(flags, async (client) => {
        const items: ReplyItem[] = [];
        let left = flags.all ? Number.POSITIVE_INFINITY : flags.limit;
        let cursor = flags.cursor;
        do {
          const page = await client.scanPage(pageOptions(prefix, flags, { cursor, left }));
          left -= page.items.length;
          cursor = page.cursor ?? undefined;
          if (flags.json) items.push(...page.items);
          else for (const item of page.items) printLine(showItem(item, flags));
        } while (cursor !== undefined && left > 0);
        if (flags.json) printJson({ items: items.map(itemMembers), cursor: cursor ?? null });
        else if (cursor !== undefined) remark(`there are more: --all, or go on with --cursor ${cursor}`);
      });
    });
}

function pageOptions(
  prefix: string | undefined,
  flags: ScanFlags,
  { cursor, left }: { cursor: string | undefined; left: number },
): ScanOptions {
  const { start, end, stale } = flags;
  const consistency = stale ? 'stale' : 'linearizable';
  return { prefix, start, end, cursor, limit: Math.min(PAGE_ITEMS, left), consistency };
}

function showItem(item: ReplyItem, flags: ScanFlags): string {
  if (flags.lines) return toJson(itemMembers(item));
  const key = shownInline(item.key);
  return flags.keys ? key : `${key}\t${shownInline(item.value)}`;
}
