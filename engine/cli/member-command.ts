// member: who is in the cluster, and how that changes.
import { type Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import type { Client } from '../client/client.ts';
import { ClientError } from '../client/client-error.ts';
import type { MemberList } from '../client/members.ts';
import { splitAddress } from '../client/node-link.ts';
import { type CommonFlags, integer, withClient, withClientOptions } from './client-options.ts';
import { CliExitCode, EXIT_CODES_HELP } from './exit-code.ts';
import { type Cell, plainTable } from './plain-table.ts';
import { describeReceipt, printJson, printLine, remark } from './terminal.ts';

interface AddressFlags extends CommonFlags {
  client: string;
  peer: string;
}

const nodeId = integer(1, 65_535);
/** How often the list is looked at while a learner catches up. */
const LOOK_INTERVAL_MS = 50;

export function addMember(program: Command): void {
  const member = program
    .command('member')
    .description('show who is in the cluster; add, promote, replace and remove nodes while it runs')
    .addHelpText(
      'after',
      `
How to add a node: start it with --join, add it, wait until it has everything, give it a vote.
  quorumlab serve --join --id 4 --peers 1=127.0.0.1:7101/127.0.0.1:7001,…,4=127.0.0.1:7104/127.0.0.1:7004
  quorumlab member add 4 --client 127.0.0.1:7004 --peer 127.0.0.1:7104 --wait
  quorumlab member promote 4

A new member is a learner first: it is sent everything and counts for nothing. Votes change through joint
consensus, so there is no moment at which two majorities could disagree. An even number of voters survives no
more failures than one less.`,
    );
  addList(member);
  addAdd(member);
  addPromote(member);
  addRemove(member);
  addReplace(member);
  addUpdate(member);
}

function addList(member: Command): void {
  withClientOptions(member.command('list').description('show the members as the leader knows them'))
    .addHelpText(
      'after',
      `\nExample:\n  quorumlab member list --json | jq '.members[].id'\n${EXIT_CODES_HELP}`,
    )
    .action(async (flags: CommonFlags) => {
      const list = await withClient(flags, (client) => client.members.list());
      if (flags.json) printJson(asJson(list));
      else printLine(asTable(list));
    });
}

function addAdd(member: Command): void {
  withAddresses(withClientOptions(member.command('add <id>').description('add a node, without a vote yet')))
    .option('--wait', 'end only when it has everything that was there; --deadline says how long at most')
    .addHelpText(
      'after',
      `
The node itself is started with: quorumlab serve --join. It does not matter which comes first.

Example:
  quorumlab member add 4 --client 127.0.0.1:7004 --peer 127.0.0.1:7104 --wait --deadline 60000
${EXIT_CODES_HELP}`,
    )
    .action(async (text: string, flags: AddressFlags & { wait?: true }) => {
      const id = idOf(text);
      const deadlineAt = performance.now() + flags.deadline;
      await withClient(flags, async (client) => {
        const { receipt } = await client.members.add({ id, client: flags.client, peer: flags.peer });
        const level = flags.wait ? await untilLevel(client, id, deadlineAt) : null;
        if (flags.json) printJson({ id, added: true, level, index: receipt.index });
        else if (level === false) remark(`n${id} is added, and has not caught up within the deadline`);
        else printLine(`n${id} is added as a learner${level ? ' and has everything' : ''}`);
        if (!flags.json) remark(describeReceipt(receipt));
        if (level === false) process.exitCode = CliExitCode.negative;
      });
    });
}

/** True when the leader has heard from it that nothing is missing; false at the deadline. */
async function untilLevel(client: Client, id: number, deadlineAt: number): Promise<boolean> {
  for (;;) {
    const list = await client.members.list({ deadlineMs: Math.max(1, deadlineAt - performance.now()) });
    const found = list.members.find((each) => each.id === id);
    if (found?.behind === 0 && found.active) return true;
    if (performance.now() > deadlineAt) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}

function addPromote(member: Command): void {
  withClientOptions(member.command('promote <id>').description('give a learner that has everything a vote'))
    .addHelpText(
      'after',
      `\nExit code 1: it is behind, or not to be heard; nothing was done.\n${EXIT_CODES_HELP}`,
    )
    .action((text: string, flags: CommonFlags) => {
      const id = idOf(text);
      return change(flags, { id, done: `n${id} is a voter` }, (client) => client.members.promote(id));
    });
}

function addRemove(member: Command): void {
  withClientOptions(member.command('remove <id>').description('take a node out; the leader hands over first'))
    .addHelpText(
      'after',
      `
The process goes on, idle: stop it. Its id is never used again: the next node gets a new one.
Exit code 1: what would be left has no majority that is up; nothing was done.
${EXIT_CODES_HELP}`,
    )
    .action((text: string, flags: CommonFlags) => {
      const id = idOf(text);
      return change(flags, { id, done: `n${id} is no member any more` }, (client) =>
        client.members.remove(id),
      );
    });
}

function addReplace(member: Command): void {
  withClientOptions(
    member
      .command('replace <id>')
      .description('let a learner take the place of a voter, in one step')
      .requiredOption('--by <id>', 'the learner', nodeId),
  )
    .addHelpText('after', EXIT_CODES_HELP)
    .action((text: string, flags: CommonFlags & { by: number }) => {
      const id = idOf(text);
      return change(flags, { id, done: `n${flags.by} has taken the place of n${id}` }, (client) =>
        client.members.replace(id, flags.by),
      );
    });
}

function addUpdate(member: Command): void {
  withAddresses(
    withClientOptions(
      member.command('update <id>').description('say that a member has moved to other ports'),
    ),
  )
    .addHelpText(
      'after',
      `\nNodes whose own --peers name the member believe those: restart them with the new ones.\n${EXIT_CODES_HELP}`,
    )
    .action((text: string, flags: AddressFlags) => {
      const id = idOf(text);
      const address = { id, client: flags.client, peer: flags.peer };
      return change(flags, { id, done: `n${id} is at ${flags.peer}` }, (client) =>
        client.members.update(address),
      );
    });
}

function withAddresses(command: Command): Command {
  return command
    .requiredOption('--client <address>', 'where it listens for clients: host:port', address)
    .requiredOption('--peer <address>', 'where it listens for peers: host:port', address);
}

function address(text: string): string {
  try {
    splitAddress(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function idOf(text: string): number {
  return nodeId(text.replace(/^n(?=\d)/, ''));
}

/** One change: done, or refused in words. */
async function change(
  flags: CommonFlags,
  { id, done }: { id: number; done: string },
  carryOut: (client: Client) => ReturnType<Client['members']['remove']>,
): Promise<void> {
  try {
    const { receipt } = await withClient(flags, carryOut);
    if (flags.json) printJson({ id, done: true, index: receipt.index, term: receipt.term });
    else {
      printLine(done);
      remark(describeReceipt(receipt));
    }
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== 'REFUSED') throw error;
    if (flags.json) printJson({ id, done: false, message: error.message });
    else printLine(pc.yellow(`not done: ${error.message}`));
    process.exitCode = CliExitCode.negative;
  }
}

function asJson({ members, leaderId, joint, committed }: MemberList): object {
  return { leader: leaderId, joint, committed, members };
}

function asTable({ members, leaderId, joint, committed }: MemberList): string {
  const cells = members.map(({ id, role, client, peer, behind, active }): Cell[] => [
    `n${id}`,
    id === leaderId ? pc.green(`${role}, leads`) : role === 'voter' ? role : pc.yellow(role),
    client === '' ? '–' : client,
    peer === '' ? '–' : peer,
    behind === null ? '–' : String(behind),
    active === null ? '–' : active ? 'yes' : pc.red('no'),
  ]);
  const table = plainTable(['node', 'role', 'clients', 'peers', 'behind', 'heard'], cells);
  if (joint) return `${table}\n\n${pc.yellow('A change of voters is under way: both sets must agree')}`;
  return committed ? table : `${table}\n\n${pc.yellow('A change is under way')}`;
}
