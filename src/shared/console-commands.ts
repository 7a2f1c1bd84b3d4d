// The console's commands as data: what they are called, what they take, what they do. The grammar, completion,
// hints and `help` all read this one table.
import type { DiskFault } from '../../engine/protocol/faults.ts';
import type { ArgumentHelp, CommandHelp } from './console-command.ts';
import { KEY_COMMANDS } from './console-key-commands.ts';

/** The disk faults that have a name here, and what they are to the file-system seam. */
export const NAMED_DISK_FAULTS = {
  'sync-fails': { operations: ['sync'], effect: { kind: 'error', code: 'EIO' } },
  'sync-hangs': { operations: ['sync'], effect: { kind: 'hang' } },
  'sync-lies': { operations: ['sync'], effect: { kind: 'lyingSync' } },
  'write-fails': { operations: ['write'], effect: { kind: 'error', code: 'EIO' } },
  'disk-full': { operations: ['write'], effect: { kind: 'error', code: 'ENOSPC' } },
  'torn-write': { operations: ['write'], effect: { kind: 'shortWrite' }, countMax: 1 },
  'bit-flip': { operations: ['write'], effect: { kind: 'bitFlip' }, countMax: 1 },
} as const satisfies Record<string, Omit<DiskFault, 'id'>>;

export type NamedDiskFault = keyof typeof NAMED_DISK_FAULTS;

export const SYNC_DELAY = 'sync-delay';
const FAULT_CHOICES = [...Object.keys(NAMED_DISK_FAULTS), SYNC_DELAY, 'clear'];

export const LOAD_DEFAULTS = { ratePerSecond: 500, clients: 16, valueBytes: 128, writeRatio: 1 } as const;

const target: ArgumentHelp = { name: 'node', kind: 'target' };
const node = (name: string): ArgumentHelp => ({ name, kind: 'node' });

export const COMMAND_HELP: readonly CommandHelp[] = [
  ...KEY_COMMANDS,
  {
    name: 'status',
    aliases: ['nodes'],
    group: 'cluster',
    arguments: [],
    summary: 'Shows role, term and indexes of every node.',
    examples: ['status'],
  },
  {
    name: 'load',
    aliases: [],
    group: 'cluster',
    arguments: [
      { name: 'rate|stop', kind: 'choice', choices: ['stop', 'max', '100', '500', '2000'] },
      { name: '--clients n', kind: 'text', optional: true },
      { name: '--bytes n', kind: 'text', optional: true },
      { name: '--writes percent', kind: 'text', optional: true },
    ],
    summary: 'Makes so many operations a second (max: as many as the clients manage), or stops.',
    examples: ['load 500', 'load max --clients 64 --bytes 256 --writes 50', 'load stop'],
  },
  {
    name: 'member',
    aliases: ['members'],
    group: 'cluster',
    arguments: [
      { name: 'list|add|promote|remove', kind: 'choice', choices: ['list', 'add', 'promote', 'remove'] },
      { name: 'node', kind: 'target', optional: true },
      { name: '--delete', kind: 'choice', choices: ['--delete'], optional: true },
    ],
    summary:
      'Shows the members, takes in one more (a learner first, then a voter), or lets one go; --delete: with its folder.',
    examples: ['member list', 'member add', 'member add n5', 'member promote n4', 'member remove n2'],
  },
  {
    name: 'reset',
    aliases: [],
    group: 'cluster',
    arguments: [],
    summary: 'Kills all nodes, empties their folders and starts a new cluster of three. All keys are gone.',
    examples: ['reset'],
  },
  {
    name: 'help',
    aliases: ['?'],
    group: 'cluster',
    arguments: [{ name: 'command', kind: 'choice', optional: true }],
    summary: 'Explains one command, or lists all.',
    examples: ['help', 'help cas'],
  },
  {
    name: 'kill',
    aliases: [],
    group: 'nodes',
    arguments: [target],
    summary: 'Sends SIGKILL: the process is gone at once, without a goodbye.',
    examples: ['kill leader', 'kill n1'],
  },
  {
    name: 'pause',
    aliases: [],
    group: 'nodes',
    arguments: [target],
    summary: 'Freezes the process (SIGSTOP): it keeps its connections and says nothing.',
    examples: ['pause leader'],
  },
  {
    name: 'resume',
    aliases: [],
    group: 'nodes',
    arguments: [target],
    summary: 'Lets a paused process go on (SIGCONT).',
    examples: ['resume n1'],
  },
  {
    name: 'restart',
    aliases: ['start'],
    group: 'nodes',
    arguments: [target],
    summary: 'Starts a dead node on the same folder; a running one is stopped gracefully first.',
    examples: ['restart n2'],
  },
  {
    name: 'stop',
    aliases: [],
    group: 'nodes',
    arguments: [target],
    summary: 'Stops a node gracefully: a leader hands its leadership away first.',
    examples: ['stop n3'],
  },
  {
    name: 'snapshot',
    aliases: [],
    group: 'nodes',
    arguments: [target],
    summary: 'Takes a snapshot of the keys now; the log before it can then go.',
    examples: ['snapshot n1', 'snapshot leader'],
  },
  {
    name: 'step-down',
    aliases: ['stepdown'],
    group: 'nodes',
    arguments: [
      { ...target, optional: true },
      { ...node('successor'), optional: true },
    ],
    summary: 'Asks the leader to hand leadership to the most up-to-date follower, or to a named one.',
    examples: ['step-down', 'step-down leader n3'],
  },
  {
    name: 'campaign',
    aliases: ['lead'],
    group: 'nodes',
    arguments: [node('node')],
    summary: 'Lets a node start an election now, with its pre-vote.',
    examples: ['campaign n2'],
  },
  {
    name: 'partition',
    aliases: [],
    group: 'faults',
    arguments: [{ name: 'nodes | nodes', kind: 'node', repeated: true }],
    summary: 'Cuts all links between the groups; one group alone is cut off from the rest.',
    examples: ['partition n1 | n2 n3', 'partition n1'],
  },
  {
    name: 'cut',
    aliases: [],
    group: 'faults',
    arguments: [
      node('from'),
      node('to'),
      { name: '--one-way', kind: 'choice', choices: ['--one-way'], optional: true },
    ],
    summary: 'Cuts one link, both ways unless told.',
    examples: ['cut n1 n2', 'cut n1 n2 --one-way'],
  },
  {
    name: 'slow',
    aliases: [],
    group: 'faults',
    arguments: [
      node('from'),
      node('to'),
      { name: 'ms', kind: 'number' },
      { name: 'jitter', kind: 'number', optional: true },
    ],
    summary: 'Delays every message on a link, both ways.',
    examples: ['slow n1 n2 50', 'slow n1 n2 50 20'],
  },
  {
    name: 'lose',
    aliases: [],
    group: 'faults',
    arguments: [node('from'), node('to'), { name: 'percent', kind: 'number' }],
    summary: 'Loses a share of the messages on a link, both ways.',
    examples: ['lose n1 n2 20'],
  },
  {
    name: 'fault',
    aliases: [],
    group: 'faults',
    arguments: [
      target,
      { name: 'fault', kind: 'choice', choices: FAULT_CHOICES },
      { name: 'ms', kind: 'number', optional: true },
    ],
    summary: 'Makes the disk of a node misbehave, or clears all faults of the node.',
    examples: ['fault n2 sync-fails', 'fault leader sync-delay 200', 'fault n2 clear'],
  },
  {
    name: 'fill',
    aliases: [],
    group: 'faults',
    arguments: [target],
    summary: "Fills a node's disk: every write fails with ENOSPC until it is healed.",
    examples: ['fill n1', 'fill leader'],
  },
  {
    name: 'power-cut',
    aliases: ['powercut'],
    group: 'faults',
    arguments: [
      { name: 'node|all', kind: 'targetOrAll' },
      { name: 'seed', kind: 'number', optional: true },
    ],
    summary: 'Drops and tears what a node has not synced, and ends it at once; all: every node together.',
    examples: ['power-cut n2', 'power-cut leader 8842', 'power-cut all'],
  },
  {
    name: 'corrupt',
    aliases: [],
    group: 'faults',
    arguments: [target, { name: 'index', kind: 'number', optional: true }],
    summary: "Turns one bit of a record in a node's log on disk; it shows when the node starts again.",
    examples: ['corrupt n2', 'corrupt n2 41'],
  },
  {
    name: 'wipe',
    aliases: [],
    group: 'faults',
    arguments: [target],
    summary:
      'Kills a node and empties its folder. It forgets its votes, and has none until it has caught up.',
    examples: ['wipe n3'],
  },
  {
    name: 'heal',
    aliases: [],
    group: 'faults',
    arguments: [],
    summary: 'Removes every fault, resumes paused nodes and starts dead ones.',
    examples: ['heal'],
  },
];

/** By name or alias, in any case. */
export function findCommand(name: string): CommandHelp | null {
  const wanted = name.toLowerCase();
  return COMMAND_HELP.find((help) => help.name === wanted || help.aliases.includes(wanted)) ?? null;
}

/** `set <key> <value>`, `scan [prefix] [--limit n]`, `delete <key> …` */
export function signatureOf(help: CommandHelp): string {
  return [help.name, ...help.arguments.map(argumentText)].join(' ');
}

export function argumentText(argument: ArgumentHelp): string {
  const text = argument.optional ? `[${argument.name}]` : `<${argument.name}>`;
  return argument.repeated ? `${text} …` : text;
}
