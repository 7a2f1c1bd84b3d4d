// A console line -> a typed ConsoleCommand, or a message that names the way out. Pure: it knows nothing of the
// cluster, so whether node 7 exists is for the one who carries the command out.
import type { DiskFault, LinkEffect } from '../../engine/protocol/faults.ts';
import type { NodeId } from '../../engine/raft/types.ts';
import type { CommandHelp, ConsoleCommand, NamedDiskFault, NodeTarget } from './console-commands.ts';
import {
  COMMAND_HELP,
  findCommand,
  LOAD_DEFAULTS,
  NAMED_DISK_FAULTS,
  SCAN_LIMIT_DEFAULT,
  SYNC_DELAY,
  signatureOf,
} from './console-commands.ts';
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
    const glued = words.find((word, position) => position > 0 && word.start === words[position - 1]?.end);
    if (glued) refuse(`Put a space after the closing quote, before "${glued.text}".`);
    const help = findCommand(first.text);
    if (help === null) return { ok: false, message: unknownCommand(first.text) };
    return { ok: true, command: parseCommand(help, rest) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, message: error.message };
    throw error;
  }
}

/** What a person wrote wrong. Never leaves this file. */
class Refusal extends Error {}

function refuse(message: string): never {
  throw new Refusal(message);
}

function wrongArguments(help: CommandHelp, why: string): never {
  return refuse(`${why} Usage: ${signatureOf(help)}. Example: ${help.examples[0]}`);
}

function parseCommand(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  switch (help.name) {
    case 'set':
    case 'get':
    case 'delete':
    case 'bulk-set':
    case 'incr':
    case 'cas':
    case 'scan':
      return parseKeyCommand(help, words);
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

function parseKeyCommand(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  const [first, second, third] = words;
  switch (help.name) {
    case 'set':
      if (words.length > 2) wrongArguments(help, 'A value with spaces needs quotes.');
      takes(help, words, 2, 2);
      return { type: 'set', key: textOf(help, first), value: textOf(help, second) };
    case 'get':
      takes(help, words, 1, 1);
      return { type: 'get', key: textOf(help, first) };
    case 'delete':
      takes(help, words, 1, Infinity);
      return { type: 'delete', keys: words.map((word) => word.text) };
    case 'bulk-set':
      takes(help, words, 1, Infinity);
      return { type: 'bulkSet', items: words.map((word) => pairOf(help, word)) };
    case 'incr': {
      takes(help, words, 1, 2);
      const by = second?.text ?? '1';
      if (!/^[+-]?\d{1,19}$/.test(by)) wrongArguments(help, `"${by}" is not a whole number.`);
      return { type: 'incr', key: textOf(help, first), by: by.replace(/^\+/, '') };
    }
    case 'cas': {
      takes(help, words, 3, 3);
      const missing = second?.quoted === false && second.text.toLowerCase() === 'nil';
      const expected = missing ? null : textOf(help, second);
      return { type: 'cas', key: textOf(help, first), expected, value: textOf(help, third) };
    }
    default: {
      const { plain, options } = splitOptions(help, words, ['limit']);
      takes(help, plain, 0, 1);
      const limit = options.limit ?? SCAN_LIMIT_DEFAULT;
      if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
        wrongArguments(help, '--limit is a whole number from 1 to 10000.');
      }
      return { type: 'scan', prefix: plain[0]?.text ?? '', limit };
    }
  }
}

function pairOf(help: CommandHelp, word: Word): { key: string; value: string } {
  if (word.equals < 1) wrongArguments(help, `"${word.text}" is not key=value.`);
  return { key: word.text.slice(0, word.equals), value: word.text.slice(word.equals + 1) };
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
  const { plain, options } = splitOptions(help, words, ['clients', 'bytes', 'writes']);
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

function splitOptions<Name extends string>(
  help: CommandHelp,
  words: readonly Word[],
  names: readonly Name[],
): { plain: Word[]; options: Partial<Record<Name, number>> } {
  const plain: Word[] = [];
  const options: Partial<Record<Name, number>> = {};
  for (let position = 0; position < words.length; position += 1) {
    const word = words[position];
    if (word === undefined) break;
    if (word.quoted || !word.text.startsWith('--')) {
      plain.push(word);
      continue;
    }
    const [flag = '', inline] = word.text.slice(2).split('=', 2);
    const name = names.find((known) => known === flag.toLowerCase());
    if (name === undefined) return wrongArguments(help, `There is no option --${flag}.`);
    if (inline === undefined) position += 1;
    const given = inline ?? words[position]?.text;
    if (given === undefined || !/^\d+(\.\d+)?%?$/.test(given)) {
      return wrongArguments(help, `--${flag} needs a number.`);
    }
    options[name] = Number.parseFloat(given);
  }
  return { plain, options };
}

function takes(help: CommandHelp, words: readonly Word[], countMin: number, countMax: number): void {
  if (words.length < countMin) wrongArguments(help, `${help.name} needs more.`);
  if (words.length > countMax) {
    wrongArguments(help, countMax === 0 ? `${help.name} takes nothing.` : `${help.name} takes less.`);
  }
}

function textOf(help: CommandHelp, word: Word | undefined): string {
  return word?.text ?? wrongArguments(help, `${help.name} needs more.`);
}

function numberOf(help: CommandHelp, word: Word | undefined, max: number): number {
  const text = word?.text.replace(/(ms|%)$/, '') ?? '';
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= max)) wrongArguments(help, `"${word?.text ?? ''}" is not a number from 0 to ${max}.`);
  return number;
}

function wholeOf(help: CommandHelp, word: Word, max: number): number {
  const number = numberOf(help, word, max);
  if (!Number.isInteger(number)) wrongArguments(help, `"${word.text}" is not a whole number.`);
  return number;
}

function targetOf(help: CommandHelp, word: Word | undefined): NodeTarget {
  if (word?.text.toLowerCase() === 'leader') return { kind: 'leader' };
  return { kind: 'node', nodeId: nodeOf(help, word?.text ?? '') };
}

function nodeOf(help: CommandHelp, text: string): NodeId {
  const match = /^n?([1-9]\d{0,5})$/i.exec(text);
  if (match === null) wrongArguments(help, `"${text}" is not a node: write n1, n2, n3 …`);
  return Number(match?.[1]);
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
