// What the console offers while a line is being written: completions of the word at the cursor, and the
// command's signature with the argument that is due. Pure.
import type { NodeId } from '../../engine/raft/types.ts';
import type { ArgumentHelp, CommandHelp } from './console-command.ts';
import { argumentText, COMMAND_HELP, findCommand } from './console-commands.ts';
import { splitWords, type Word } from './console-line.ts';

export interface CompletionContext {
  nodeIds: readonly NodeId[];
  /** Keys that were seen lately; completed where a key is due. */
  keys: readonly string[];
}

export interface Completion {
  /** The half-open range of the line that a candidate replaces. */
  from: number;
  to: number;
  /** Best first, without a trailing space. */
  candidates: readonly string[];
}

export interface Hint {
  command: CommandHelp;
  /** The arguments as text, in order. */
  arguments: readonly string[];
  /** Which one is due; null when all are there. */
  active: number | null;
}

export function completeConsoleLine(line: string, cursor: number, context: CompletionContext): Completion {
  const { word, index, words } = wordAt(line, cursor);
  const typed = line.slice(word.start, cursor).toLowerCase();
  const options = optionsFor(words, index, context);
  const candidates = options.filter((option) => option.toLowerCase().startsWith(typed) && option !== typed);
  return { from: word.start, to: word.end, candidates };
}

/** Null while the first word is not a command. */
export function hintConsoleLine(line: string, cursor: number): Hint | null {
  const { words, index } = wordAt(line, cursor);
  const command = findCommand(words[0]?.text ?? '');
  if (command === null) return null;
  // The cursor still touches the command's own word.
  const position = Math.max(index - 1, 0);
  return {
    command,
    arguments: command.arguments.map(argumentText),
    active: activeArgument(command, position),
  };
}

function activeArgument(command: CommandHelp, position: number): number | null {
  if (position < command.arguments.length) return position;
  return command.arguments.at(-1)?.repeated ? command.arguments.length - 1 : null;
}

/** The word that the cursor is in or right behind; an empty one where a new word would begin. */
function wordAt(
  line: string,
  cursor: number,
): { word: Pick<Word, 'start' | 'end'>; index: number; words: Word[] } {
  const words = splitWords(line);
  const index = words.findIndex((word) => cursor >= word.start && cursor <= word.end);
  const word = words[index];
  if (word) return { word, index, words };
  return {
    word: { start: cursor, end: cursor },
    index: words.filter((before) => before.end < cursor).length,
    words,
  };
}

function optionsFor(words: readonly Word[], index: number, context: CompletionContext): readonly string[] {
  if (index === 0) return COMMAND_HELP.map((help) => help.name);
  const command = findCommand(words[0]?.text ?? '');
  if (command === null) return [];
  if (command.name === 'help') return COMMAND_HELP.map((help) => help.name);
  const active = activeArgument(command, index - 1);
  const due = active === null ? undefined : command.arguments[active];
  // Options may stand anywhere after the arguments that must be there.
  const flags = command.arguments.slice(index - 1).flatMap(flagOf);
  const options = due === undefined ? [] : argumentOptions(due, context);
  return [...new Set([...options, ...flags])];
}

function argumentOptions(argument: ArgumentHelp, context: CompletionContext): readonly string[] {
  const nodes = context.nodeIds.map((id) => `n${id}`);
  switch (argument.kind) {
    case 'target':
      return ['leader', ...nodes];
    case 'targetOrAll':
      return ['all', 'leader', ...nodes];
    case 'node':
      return nodes;
    case 'choice':
      return argument.choices ?? [];
    case 'text':
      return argument.name === 'key' || argument.name === 'prefix' ? context.keys.map(quoted) : [];
    case 'number':
      return [];
  }
}

/** `--nx|--xx` are two of them. */
function flagOf(argument: ArgumentHelp): string[] {
  return argument.name.startsWith('--') ? (argument.name.split(' ')[0] ?? '').split('|') : [];
}

/** A key as it must be written in the console to be one word. */
function quoted(key: string): string {
  if (key !== '' && !/[\s"'\\]/.test(key)) return key;
  return `"${key.replace(/["\\]/g, (character) => `\\${character}`)}"`;
}
