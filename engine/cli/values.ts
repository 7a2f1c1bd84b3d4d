// Values on the command line: text unless --parse says JSON, from arguments or standard input; and how values
// of replies are shown.
import type { Command } from 'commander';
import type { ClientValue, ReplyItem, ReplyValue } from '../protocol/json-client.ts';
import type { JsonValue } from '../protocol/json-line.ts';
import { UsageError } from './exit-code.ts';

export interface ValueFlags {
  parse?: true;
}

export function withValueOption(command: Command): Command {
  return command.option('--parse', 'values are JSON: numbers, lists and objects keep their kind');
}

export function parseValue(text: string, flags: ValueFlags): ClientValue {
  if (!flags.parse) return text;
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new UsageError(`--parse: ${JSON.stringify(text)} is no JSON: ${(error as Error).message}`);
  }
}

/** Text and bytes as they are; everything else as JSON. */
export function shownValue(value: ReplyValue): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
}

/** The same in one line of text: bytes that are no text as base64. */
export function shownInline(value: ReplyValue): string {
  const shown = shownValue(value);
  return typeof shown === 'string' ? shown : `base64:${Buffer.from(shown).toString('base64')}`;
}

/** The members by which the protocol writes a value: bytes become base64, and say so. */
export function valueMembers(value: ReplyValue): { value: unknown; encoding?: 'base64' } {
  if (!(value instanceof Uint8Array)) return { value };
  return { value: Buffer.from(value).toString('base64'), encoding: 'base64' };
}

export function itemMembers({ key, value, revision }: ReplyItem): Record<string, unknown> {
  const keyMembers =
    typeof key === 'string'
      ? { key }
      : { key: Buffer.from(key).toString('base64'), key_encoding: 'base64' as const };
  return { ...keyMembers, ...valueMembers(value), revision };
}

/** All of standard input as bytes; a terminal has nothing to read from. */
export async function readStandardInput(what: string): Promise<Buffer> {
  if (process.stdin.isTTY)
    throw new UsageError(`${what} is missing: give it as an argument or on standard input`);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
