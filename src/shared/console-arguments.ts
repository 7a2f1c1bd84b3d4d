// The words of a console line as the arguments of a command: counted, converted, or refused with the way out.
import type { NodeId } from '../../engine/raft/types.ts';
import type { CommandHelp, NodeTarget } from './console-command.ts';
import { signatureOf } from './console-commands.ts';
import type { Word } from './console-line.ts';

/** What a person wrote wrong. Never leaves the grammar. */
export class Refusal extends Error {}

export function refuse(message: string): never {
  throw new Refusal(message);
}

export function wrongArguments(help: CommandHelp, why: string): never {
  return refuse(`${why} Usage: ${signatureOf(help)}. Example: ${help.examples[0]}`);
}

/** What is made of the word after `--name`; undefined: there is none. */
type OptionReader<Value> = (help: CommandHelp, name: string, given: string | undefined) => Value;
type OptionReaders<Values> = { readonly [Name in keyof Values]: OptionReader<Values[Name]> };

export function numberOption(help: CommandHelp, name: string, given: string | undefined): number {
  if (given === undefined || !/^\d+(\.\d+)?%?$/.test(given)) {
    return wrongArguments(help, `--${name} needs a number.`);
  }
  return Number.parseFloat(given);
}

export function textOption(help: CommandHelp, _name: string, given: string | undefined): string {
  return given ?? needsMore(help);
}

/** `--name value` and `--name=value` apart from the plain words. Of an option that is given twice, the last counts. */
export function splitOptions<Values extends object>(
  help: CommandHelp,
  words: readonly Word[],
  readers: OptionReaders<Values>,
): { plain: Word[]; options: Partial<Values> } {
  const plain: Word[] = [];
  const options: Partial<Values> = {};
  for (let position = 0; position < words.length; position += 1) {
    const word = words[position];
    if (word === undefined) break;
    if (word.quoted || !word.text.startsWith('--')) {
      plain.push(word);
      continue;
    }
    const inline = word.equals < 0 ? undefined : word.text.slice(word.equals + 1);
    const flag = word.text.slice(2, word.equals < 0 ? undefined : word.equals);
    const name = flag.toLowerCase();
    if (!isNameIn(readers, name)) return wrongArguments(help, `There is no option --${flag}.`);
    if (inline === undefined) position += 1;
    options[name] = readers[name](help, flag, inline ?? words[position]?.text);
  }
  return { plain, options };
}

function isNameIn<Values extends object>(readers: Values, name: string): name is keyof Values & string {
  return Object.hasOwn(readers, name);
}

export function takes(help: CommandHelp, words: readonly Word[], countMin: number, countMax: number): void {
  if (words.length < countMin) needsMore(help);
  if (words.length > countMax) {
    wrongArguments(help, countMax === 0 ? `${help.name} takes nothing.` : `${help.name} takes less.`);
  }
}

export function textOf(help: CommandHelp, word: Word | undefined): string {
  return word?.text ?? needsMore(help);
}

function needsMore(help: CommandHelp): never {
  return wrongArguments(help, `${help.name} needs more.`);
}

export function numberOf(help: CommandHelp, word: Word | undefined, max: number): number {
  const text = word?.text.replace(/(ms|%)$/, '') ?? '';
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= max)) wrongArguments(help, `"${word?.text ?? ''}" is not a number from 0 to ${max}.`);
  return number;
}

export function wholeOf(help: CommandHelp, word: Word, max: number): number {
  const number = numberOf(help, word, max);
  if (!Number.isInteger(number)) wrongArguments(help, `"${word.text}" is not a whole number.`);
  return number;
}

export function targetOf(help: CommandHelp, word: Word | undefined): NodeTarget {
  if (word?.text.toLowerCase() === 'leader') return { kind: 'leader' };
  return { kind: 'node', nodeId: nodeOf(help, word?.text ?? '') };
}

export function nodeOf(help: CommandHelp, text: string): NodeId {
  const match = /^n?([1-9]\d{0,5})$/i.exec(text);
  if (match === null) wrongArguments(help, `"${text}" is not a node: write n1, n2, n3 …`);
  return Number(match?.[1]);
}
