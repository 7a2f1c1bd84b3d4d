// A console line -> a typed ConsoleCommand, or a message that names the way out. Pure: it knows nothing of the
// cluster, so whether node 7 exists is for the one who carries the command out.
import type { DiskFault, LinkEffect } from '../../engine/protocol/faults.ts';
import type { NodeId } from '../../engine/raft/types.ts';
import {
  nodeOf,
  numberOf,
  numberOption,
  Refusal,
  refuse,
  splitOptions,
  takes,
  targetOf,
  wholeOf,
  wrongArguments,
} from './console-arguments.ts';
import type { CommandHelp, ConsoleCommand, NodeTarget } from './console-command.ts';
import type { NamedDiskFault } from './console-commands.ts';
import {
  COMMAND_HELP,
  findCommand,
  LOAD_DEFAULTS,
  NAMED_DISK_FAULTS,
  SYNC_DELAY,
} from './console-commands.ts';
import { parseKeyOperation, parseScan, parseTransaction, parseWatch } from './console-key-grammar.ts';
import { splitWords, type Word } from './console-line.ts';

/** Seeds have 32 bits, indexes of the log 48. */
const SEED_MAX = 2 ** 32 - 1;
const INDEX_MAX = 2 ** 48;

/** `command` is null for an empty line or a comment (`# …`). */
export type ParsedLine = { ok: true; command: ConsoleCommand | null } | { ok: false; message: string };

export function parseConsoleLine(line: string): ParsedLine {
  const words = splitWords(line);
  const [first, ...rest] = words;
  if (first === undefined || first.text.startsWith('#')) return { ok: true, command: null };
  try {
    if (words.some((word) => word.open)) refuse('A quote is still open: close it, or escape it as \\".');
    const glued = words.find(
      (word, position) =>
        position > 0 && word.start === words[position - 1]?.end && !/^;/.test(word.quoted ? '' : word.text),
    );
    if (glued) refuse(`Put a space after the closing quote, before "${glued.text}".`);
    const help = findCommand(first.text);
    if (help === null) return { ok: false, message: unknownCommand(first.text) };
    return { ok: true, command: parseCommand(help, rest) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, message: error.message };
    throw error;
  }
}

function parseCommand(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  switch (help.name) {
    case 'set':
    case 'get':
    case 'delete':
    case 'bulk-set':
    case 'incr':
    case 'cas':
    case 'ttl':
    case 'expire':
    case 'persist':
      return parseKeyOperation(help, words);
    case 'txn':
      return parseTransaction(help, words);
    case 'watch':
      return parseWatch(help, words);
    case 'unwatch': {
      takes(help, words, 0, 1);
      return { type: 'unwatch', watchId: words[0] ? wholeOf(help, words[0], SEED_MAX) : null };
    }
    case 'scan':
      return parseScan(help, words);
    case 'kill':
    case 'pause':
    case 'resume':
    case 'restart':
    case 'stop':
    case 'campaign':
    case 'snapshot':
    case 'wipe': {
      takes(help, words, 1, 1);
      return { type: help.name, target: targetOf(help, words[0]) };
    }
    case 'step-down': {
      takes(help, words, 0, 2);
      const target: NodeTarget = words[0] ? targetOf(help, words[0]) : { kind: 'leader' };
      return { type: 'stepDown', target, successor: words[1] ? nodeOf(help, words[1].text) : null };
    }
    case 'partition':
      return { type: 'partition', groups: groupsOf(help, words) };
    case 'cut':
    case 'slow':
    case 'lose':
      return parseLinkCommand(help, words);
    case 'fault':
      return parseFault(help, words);
    case 'fill':
      takes(help, words, 1, 1);
      return { type: 'fault', target: targetOf(help, words[0]), fault: namedFault('disk-full') };
    case 'power-cut': {
      takes(help, words, 1, 2);
      const isAll = words[0]?.text.toLowerCase() === 'all';
      const target = isAll ? null : targetOf(help, words[0]);
      return { type: 'powerCut', target, seed: words[1] ? wholeOf(help, words[1], SEED_MAX) : null };
    }
    case 'corrupt': {
      takes(help, words, 1, 2);
      const index = words[1] ? wholeOf(help, words[1], INDEX_MAX) : null;
      if (index === 0) wrongArguments(help, 'Entries are counted from 1.');
      return { type: 'corrupt', target: targetOf(help, words[0]), index };
    }
    case 'member':
      return parseMember(help, words);
    case 'load':
      return parseLoad(help, words);
    case 'help':
      takes(help, words, 0, 1);
      return { type: 'help', topic: words[0]?.text ?? null };
    case 'status':
    case 'ping':
    case 'heal':
    case 'reset':
      takes(help, words, 0, 0);
      return { type: help.name };
    default:
      return refuse(`${help.name} is listed but cannot be parsed.`);
  }
}

function parseLinkCommand(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  const oneWay = words.some((word) => word.text === '--one-way');
  const plain = words.filter((word) => word.text !== '--one-way');
  const counts = { cut: [2, 2], slow: [3, 4], lose: [3, 3] }[help.name] ?? [2, 2];
  takes(help, plain, counts[0] ?? 2, counts[1] ?? 2);
  const from = nodeOf(help, plain[0]?.text ?? '');
  const to = nodeOf(help, plain[1]?.text ?? '');
  if (from === to) wrongArguments(help, 'A link joins two different nodes.');
  let effect: LinkEffect = { kind: 'cut' };
  if (help.name === 'slow') {
    const delayMs = numberOf(help, plain[2], 60_000);
    effect = { kind: 'delay', delayMs, jitterMs: plain[3] ? numberOf(help, plain[3], 60_000) : 0 };
  } else if (help.name === 'lose') {
    effect = { kind: 'loss', probability: numberOf(help, plain[2], 100) / 100 };
  }
  return { type: 'link', from, to, direction: oneWay ? 'outbound' : 'both', effect };
}

function parseFault(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  takes(help, words, 2, 3);
  const target = targetOf(help, words[0]);
  const name = words[1]?.text.toLowerCase() ?? '';
  if (name === SYNC_DELAY) {
    if (words[2] === undefined) wrongArguments(help, 'sync-delay needs milliseconds, as in sync-delay 200.');
    const delayMs = numberOf(help, words[2], 60_000);
    return {
      type: 'fault',
      target,
      fault: { id: name, operations: ['sync'], effect: { kind: 'delay', delayMs } },
    };
  }
  if (words[2] !== undefined) wrongArguments(help, `${name} takes no number.`);
  if (name === 'clear') return { type: 'faultClear', target };
  if (!isNamedFault(name)) {
    const known = [...Object.keys(NAMED_DISK_FAULTS), SYNC_DELAY, 'clear'].join(', ');
    return refuse(`No fault is called "${name}". There are: ${known}.`);
  }
  return { type: 'fault', target, fault: namedFault(name) };
}

function namedFault(name: NamedDiskFault): DiskFault {
  return { id: name, ...NAMED_DISK_FAULTS[name] };
}

function isNamedFault(name: string): name is NamedDiskFault {
  return Object.hasOwn(NAMED_DISK_FAULTS, name);
}

function parseMember(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  const isDelete = (word: Word) => word.text.toLowerCase() === '--delete';
  const [verb, node, ...rest] = words.filter((word) => !isDelete(word));
  const name = verb?.text.toLowerCase() ?? 'list';
  if (rest.length > 0) wrongArguments(help, 'One node at a time.');
  if (words.some(isDelete) && name !== 'remove') wrongArguments(help, '--delete goes with remove.');
  switch (name) {
    case 'list':
      if (node !== undefined) wrongArguments(help, 'member list takes nothing.');
      return { type: 'memberList' };
    case 'add':
      return { type: 'memberAdd', nodeId: node === undefined ? null : nodeOf(help, node.text) };
    case 'promote':
      if (node === undefined) wrongArguments(help, 'Name the learner that shall vote.');
      return { type: 'memberPromote', nodeId: nodeOf(help, node?.text ?? '') };
    case 'remove': {
      if (node === undefined) wrongArguments(help, 'Name the node that shall go.');
      const folder = words.some(isDelete) ? 'delete' : 'setAside';
      return { type: 'memberRemove', target: targetOf(help, node), folder };
    }
    default:
      return wrongArguments(help, `"${verb?.text}" is not list, add, promote or remove.`);
  }
}

function parseLoad(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  const { plain, options } = splitOptions(help, words, {
    clients: numberOption,
    bytes: numberOption,
    writes: numberOption,
  });
  takes(help, plain, 0, 1);
  const rate = plain[0]?.text.toLowerCase() ?? String(LOAD_DEFAULTS.ratePerSecond);
  if (rate === 'stop') return { type: 'loadStop' };
  const ratePerSecond = rate === 'max' ? 0 : numberOf(help, plain[0], 1_000_000);
  const { clients = LOAD_DEFAULTS.clients, bytes = LOAD_DEFAULTS.valueBytes, writes = 100 } = options;
  if (!Number.isInteger(clients) || clients < 1 || clients > 1000) {
    wrongArguments(help, '--clients is a whole number from 1 to 1000.');
  }
  if (!Number.isInteger(bytes) || bytes > 1_048_576) {
    wrongArguments(help, '--bytes is a whole number up to 1048576.');
  }
  if (writes > 100) wrongArguments(help, '--writes is a percentage from 0 to 100.');
  return { type: 'load', ratePerSecond, clients, valueBytes: bytes, writeRatio: writes / 100 };
}

function groupsOf(help: CommandHelp, words: readonly Word[]): NodeId[][] {
  const groups = words
    .map((word) => word.text)
    .join(' ')
    .split('|')
    .map((group) => group.split(/[\s,]+/).filter((text) => text !== ''))
    .map((group) => group.map((text) => nodeOf(help, text)));
  if (groups.some((group) => group.length === 0)) wrongArguments(help, 'Each side of | needs a node.');
  const all = groups.flat();
  if (new Set(all).size < all.length) wrongArguments(help, 'A node can be on one side only.');
  return groups;
}

function unknownCommand(name: string): string {
  const near = COMMAND_HELP.map((help) => help.name)
    .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const suggestion = near && near.distance <= 2 ? ` Did you mean "${near.known}"?` : '';
  return `There is no command "${name}".${suggestion} Type help for all of them.`;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
