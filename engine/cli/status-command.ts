// status: what every node says of itself, side by side.
import type { Command } from 'commander';
import pc from 'picocolors';
import type { Client, StatusFields } from '../client/client.ts';
import { ClientError } from '../client/client-error.ts';
import { type CommonFlags, withClient, withClientOptions } from './client-options.ts';
import { CliExitCode, EXIT_CODES_HELP } from './exit-code.ts';
import { type Cell, plainTable } from './plain-table.ts';
import { printJson, printLine } from './terminal.ts';

interface NodeRow {
  endpoint: string;
  status: StatusFields | null;
  /** Why there is no status; null when there is. */
  error: string | null;
  elapsedMs: number;
}

export function addStatus(program: Command): void {
  withClientOptions(
    program.command('status').description('show who leads, in which term, and how far each node is'),
  )
    .addHelpText(
      'after',
      `
Every endpoint is asked for its own view; a node that is down shows why. Exit code 0: there is one leader;
1: nobody leads; 3: no node answers.

Examples:
  quorumlab status
  quorumlab status --json | jq .leader
  watch -n1 quorumlab status
${EXIT_CODES_HELP}`,
    )
    .action(async (flags: CommonFlags) => {
      const rows = await withClient(flags, (client) =>
        Promise.all(flags.endpoints.map((each) => ask(client, each))),
      );
      const leader = leaderOf(rows);
      if (flags.json) printJson(asJson(rows, leader));
      else printLine(asTable(rows, leader));
      if (rows.every((row) => row.status === null)) process.exitCode = CliExitCode.unavailable;
      else if (leader === null) process.exitCode = CliExitCode.negative;
    });
}

async function ask(client: Client, endpoint: string): Promise<NodeRow> {
  try {
    const { status, receipt } = await client.status({ address: endpoint });
    return { endpoint, status, error: null, elapsedMs: receipt.elapsedMs };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const message = error.message.replace(`${endpoint}: `, '');
    return { endpoint, status: null, error: message, elapsedMs: error.elapsedMs };
  }
}

function text(status: StatusFields, name: string): string {
  const value = status[name];
  return value === null || value === undefined ? '–' : String(value);
}

function count(status: StatusFields, name: string): number {
  const value = status[name];
  return typeof value === 'number' ? value : 0;
}

/** The one that leads in the highest term: an old leader that was cut off may still believe in itself. */
function leaderOf(rows: readonly NodeRow[]): StatusFields | null {
  let leader: StatusFields | null = null;
  for (const { status } of rows) {
    if (status?.role !== 'leader') continue;
    if (leader === null || count(status, 'currentTerm') > count(leader, 'currentTerm')) leader = status;
  }
  return leader;
}

function asJson(rows: readonly NodeRow[], leader: StatusFields | null): object {
  return {
    leader: leader === null ? null : count(leader, 'node_id'),
    term: leader === null ? null : count(leader, 'currentTerm'),
    nodes: rows.map(({ endpoint, status, error, elapsedMs }) => {
      if (status === null) return { endpoint, reachable: false, error };
      const { status: _ok, ...fields } = status;
      return { endpoint, reachable: true, elapsedMs, ...fields };
    }),
  };
}

function colouredRole(role: string): string {
  if (role === 'leader') return pc.green(role);
  return role === 'follower' ? pc.cyan(role) : pc.yellow(role);
}

function asTable(rows: readonly NodeRow[], leader: StatusFields | null): string {
  const head = ['node', 'endpoint', 'role', 'term', 'commit', 'applied', 'last', 'behind', 'keys', 'alarms'];
  const committed = leader === null ? 0 : count(leader, 'commitIndex');
  const cells = rows.map(({ endpoint, status, error }): Cell[] => {
    if (status === null) {
      return [pc.red('–'), endpoint, { content: pc.red(error ?? 'no answer'), colSpan: 8 }];
    }
    const behind = leader === null ? '–' : String(Math.max(0, committed - count(status, 'lastApplied')));
    const alarms =
      Array.isArray(status.alarms) && status.alarms.length > 0 ? pc.red(status.alarms.join(', ')) : '–';
    return [
      `n${text(status, 'node_id')}`,
      endpoint,
      colouredRole(text(status, 'role')),
      text(status, 'currentTerm'),
      text(status, 'commitIndex'),
      text(status, 'lastApplied'),
      text(status, 'lastIndex'),
      behind,
      text(status, 'keys'),
      alarms,
    ];
  });
  return `${plainTable(head, cells)}\n\n${summary(rows, leader)}`;
}

function summary(rows: readonly NodeRow[], leader: StatusFields | null): string {
  const up = rows.filter((row) => row.status !== null).length;
  if (up === 0) return pc.red('No node answers. Start some with: quorumlab cluster --ephemeral');
  const share = `${up} of ${rows.length} up`;
  if (leader === null)
    return pc.yellow(`Nobody leads (${share}): no reads but --stale, and no writes, until a majority is up`);
  return `${pc.green(`n${text(leader, 'node_id')} leads`)} in term ${text(leader, 'currentTerm')}, ${share}`;
}
