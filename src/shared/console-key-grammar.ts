// The grammar of commands about keys: single operations, transactions of them, and watches.

import {
  numberOption,
  splitOptions,
  takes,
  textOf,
  textOption,
  wrongArguments,
} from './console-arguments.ts';
import type { CommandHelp, ConsoleCommand, KeyCondition, KeyOperation } from './console-command.ts';
import { findCommand } from './console-commands.ts';
import { SCAN_LIMIT_DEFAULT } from './console-key-commands.ts';
import type { Word } from './console-line.ts';

/** Ends are told to the store in 48 bits. */
const TTL_MS_MAX = 2 ** 48 - 1;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const OPERATIONS = ['set', 'get', 'delete', 'bulk-set', 'incr', 'cas', 'ttl', 'expire', 'persist'];

export function parseKeyOperation(help: CommandHelp, words: readonly Word[]): KeyOperation {
  const [first, second, third] = words;
  switch (help.name) {
    case 'set':
      return parseSet(help, words);
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
    case 'expire':
      takes(help, words, 2, 2);
      return { type: 'expire', key: textOf(help, first), ttlMs: durationOf(help, textOf(help, second)) };
    case 'ttl':
    case 'persist':
    case 'get':
      takes(help, words, 1, 1);
      return { type: help.name, key: textOf(help, first) };
    default:
      return wrongArguments(help, `${help.name} is nothing that is done to a key.`);
  }
}

function parseSet(help: CommandHelp, words: readonly Word[]): KeyOperation {
  const plain: Word[] = [];
  let ttlMs: number | null = null;
  let keepTtl = false;
  let onlyIf: 'absent' | 'present' | null = null;
  for (let position = 0; position < words.length; position += 1) {
    const word = words[position];
    if (word === undefined) break;
    // The key and the value come first: either may look like an option.
    if (plain.length < 2 || word.quoted || !word.text.startsWith('--')) {
      plain.push(word);
      continue;
    }
    const [flag = '', inline] = word.text.toLowerCase().split('=', 2);
    if (flag === '--ttl') {
      if (inline === undefined) position += 1;
      ttlMs = durationOf(help, inline ?? words[position]?.text ?? '');
    } else if (flag === '--keep-ttl') keepTtl = true;
    else if (flag === '--nx') onlyIf = 'absent';
    else if (flag === '--xx') onlyIf = 'present';
    else wrongArguments(help, `There is no option ${flag}.`);
  }
  if (plain.length > 2) wrongArguments(help, 'A value with spaces needs quotes.');
  takes(help, plain, 2, 2);
  if (ttlMs !== null && keepTtl) wrongArguments(help, 'A key keeps its end or gets another one, not both.');
  return { type: 'set', key: textOf(help, plain[0]), value: textOf(help, plain[1]), ttlMs, keepTtl, onlyIf };
}

/** `500ms`, `30s`, `5m`, `2h`, `7d`; a bare number counts seconds. */
function durationOf(help: CommandHelp, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/i.exec(text);
  const unit = (match?.[2]?.toLowerCase() ?? 's') as keyof typeof UNIT_MS;
  const milliseconds = Math.round(Number(match?.[1]) * UNIT_MS[unit]);
  if (!(milliseconds >= 1 && milliseconds <= TTL_MS_MAX)) {
    wrongArguments(help, `"${text}" is not a duration: write 500ms, 30s, 5m, 2h or 7d.`);
  }
  return milliseconds;
}

function pairOf(help: CommandHelp, word: Word): { key: string; value: string } {
  if (word.equals < 1) wrongArguments(help, `"${word.text}" is not key=value.`);
  return { key: word.text.slice(0, word.equals), value: word.text.slice(word.equals + 1) };
}

export function parseScan(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  const { plain, options } = splitOptions(help, words, { limit: numberOption });
  takes(help, plain, 0, 1);
  const limit = options.limit ?? SCAN_LIMIT_DEFAULT;
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    wrongArguments(help, '--limit is a whole number from 1 to 10000.');
  }
  return { type: 'scan', prefix: plain[0]?.text ?? '', limit };
}

export function parseWatch(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  const { plain, options } = splitOptions(help, words, { key: textOption, from: textOption });
  const key = options.key ?? null;
  const fromRevision = options.from === undefined ? null : Number(options.from);
  takes(help, plain, 0, 1);
  if (fromRevision !== null && !(Number.isSafeInteger(fromRevision) && fromRevision >= 1)) {
    wrongArguments(help, '--from is a revision: a whole number from 1, as a write or an event tells it.');
  }
  if (key !== null && plain.length > 0) wrongArguments(help, 'Either a prefix or one key.');
  return { type: 'watch', prefix: plain[0]?.text ?? null, key, fromRevision };
}

/** `[if c and c] then o; o [else o; o]` */
export function parseTransaction(help: CommandHelp, words: readonly Word[]): ConsoleCommand {
  const tokens = words.flatMap(separated);
  const clauses = new Map<string, Word[]>();
  let clause: Word[] | null = null;
  for (const word of tokens) {
    const name = word.quoted ? '' : word.text.toLowerCase();
    if (beginsClause(name, clauses)) {
      clause = [];
      clauses.set(name, clause);
    } else if (clause === null) wrongArguments(help, 'A transaction begins with if or then.');
    else clause.push(word);
  }
  if (!clauses.has('then')) wrongArguments(help, 'then is missing, and what is to be done.');
  const compare = parted(clauses.get('if'), (word) => word.text.toLowerCase() === 'and').map((condition) =>
    conditionOf(help, condition),
  );
  const success = operationsOf(help, clauses.get('then'));
  const failure = operationsOf(help, clauses.get('else'));
  if (success.length + failure.length === 0) wrongArguments(help, 'There is nothing to do.');
  if (clauses.has('else') && compare.length === 0) wrongArguments(help, 'Without if, else is never done.');
  return { type: 'txn', compare, success, failure };
}

/** Each once, and in this order: a key may be called like a clause. */
function beginsClause(name: string, clauses: ReadonlyMap<string, unknown>): boolean {
  if (name === 'if') return clauses.size === 0;
  if (name === 'then') return !clauses.has('then');
  return name === 'else' && clauses.has('then') && !clauses.has('else');
}

/** A semicolon outside of quotes stands alone. */
function separated(word: Word): Word[] {
  if (word.quoted) return [word];
  const parts = word.text.split(/(;)/).filter((text) => text !== '');
  return parts.map((text) => ({ ...word, text, equals: text.indexOf('=') }));
}

function parted(words: readonly Word[] = [], isBreak: (word: Word) => boolean): Word[][] {
  const parts: Word[][] = [[]];
  for (const word of words) {
    if (!word.quoted && isBreak(word)) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts.filter((part) => part.length > 0);
}

function operationsOf(help: CommandHelp, words: readonly Word[] = []): KeyOperation[] {
  return parted(words, (word) => /^;+$/.test(word.text)).map(([name, ...rest]) => {
    const operation = findCommand(name?.text ?? '');
    if (operation === null || !OPERATIONS.includes(operation.name)) {
      return wrongArguments(
        help,
        `"${name?.text}" cannot stand in a transaction: ${OPERATIONS.join(', ')} can.`,
      );
    }
    return parseKeyOperation(operation, rest);
  });
}

function conditionOf(help: CommandHelp, words: readonly Word[]): KeyCondition {
  const [keyWord, middle, last, ...rest] = words;
  const key = textOf(help, keyWord);
  const word = middle?.text.toLowerCase();
  if (rest.length === 0 && last === undefined && (word === 'exists' || word === 'missing')) {
    return { key, exists: word === 'exists' };
  }
  if (word === 'revision') {
    const revision = Number(rest[0]?.text);
    const relation = relationOf(last?.text);
    if (rest.length === 1 && relation !== null && Number.isSafeInteger(revision) && revision >= 0) {
      return { key, relation, revision };
    }
  }
  const relation = relationOf(middle?.text);
  if (relation !== null && last !== undefined && rest.length === 0) {
    return { key, relation, value: last.text };
  }
  const written = words.map((part) => part.text).join(' ');
  return wrongArguments(
    help,
    `"${written}" is not a condition: write k = v, k exists, k missing or k revision = 12.`,
  );
}

function relationOf(text: string | undefined): '=' | '!=' | '<' | '>' | null {
  return text === '=' || text === '!=' || text === '<' || text === '>' ? text : null;
}
