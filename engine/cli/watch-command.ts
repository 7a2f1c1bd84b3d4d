// watch: every change of some keys as it happens, one line each.
import type { Command } from 'commander';
import pc from 'picocolors';
import { createClient } from '../client/client.ts';
import type { WatchEvent } from '../client/watch.ts';
import { type CommonFlags, integer, withClientOptions } from './client-options.ts';
import { EXIT_CODES_HELP } from './exit-code.ts';
import { printJson, printLine, remark } from './terminal.ts';
import { shownInline, valueMembers } from './values.ts';

interface WatchFlags extends CommonFlags {
  key?: true;
  from?: number;
  count?: number;
}

export function addWatch(program: Command): void {
  withClientOptions(
    program
      .command('watch')
      .description('print every change of some keys as it happens')
      .argument('[prefix]', 'of the keys; all of them when it is left out', ''),
  )
    .option('--key', 'the argument is one key, not a prefix')
    .option('--from <revision>', 'begin with this revision instead of now', integer(0))
    .option('--count <n>', 'end after so many changes', integer(1))
    .addHelpText(
      'after',
      `
It goes on at another node when its own is lost, without loss or repetition. It ends with Ctrl-C, or with
COMPACTED when what it needs is forgotten (setting watchHistoryBytesMax of the nodes).

Examples:
  quorumlab watch user:
  quorumlab watch config --key --json | jq .value
  quorumlab watch --from 1200 --count 10
${EXIT_CODES_HELP}`,
    )
    .action(watchKeys);
}

async function watchKeys(name: string, flags: WatchFlags): Promise<void> {
  const client = createClient({
    addresses: flags.endpoints,
    deadlineMs: flags.deadline,
    password: process.env.QUORUMLAB_PASSWORD || undefined,
  });
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  const which = flags.key ? { key: name } : { prefix: name };
  const watch = client.watch({ ...which, fromRevision: flags.from, signal: abort.signal });
  try {
    watch.started.then(
      (revision) => flags.json || remark(`from revision ${revision} on; Ctrl-C ends it`),
      () => {}, // the iteration below tells
    );
    let left = flags.count ?? Number.POSITIVE_INFINITY;
    for await (const event of watch) {
      if (flags.json) printJson(members(event));
      else printLine(describe(event));
      left--;
      if (left === 0) break;
    }
  } finally {
    client.close();
  }
}

function members(event: WatchEvent): Record<string, unknown> {
  const { type, key, value, revision, expiresAt, expired } = event;
  if (type === 'flush') return { event: type, revision };
  const name = typeof key === 'string' ? { key } : { key: shownInline(key).slice(7), key_encoding: 'base64' };
  if (type === 'delete') return { event: type, ...name, revision, expired };
  return { event: type, ...name, ...valueMembers(value), revision, expires_at: expiresAt };
}

function describe({ type, key, value, revision, expiresAt, expired }: WatchEvent): string {
  const at = pc.dim(String(revision).padStart(8));
  if (type === 'flush') return `${at}  every key is gone`;
  const name = shownInline(key);
  if (type === 'delete') return `${at}  ${name} ${expired ? 'ended' : 'deleted'}`;
  const end = expiresAt === null ? '' : pc.dim(`  until ${new Date(expiresAt).toISOString()}`);
  return `${at}  ${name} = ${shownInline(value)}${end}`;
}
