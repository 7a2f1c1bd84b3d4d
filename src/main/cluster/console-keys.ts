// The console's key commands, through engine/client as any program would send them, and values as people read them.
import type { Client } from '../../../engine/client/client.ts';
import type { Receipt } from '../../../engine/client/operation.ts';
import type { ReplyValue } from '../../../engine/protocol/json-client.ts';
import type { ConsoleCommand } from '../../shared/console-commands.ts';
import type { ConsoleLine } from '../../shared/contract.ts';

export type KeyCommand = Extract<
  ConsoleCommand,
  { type: 'set' | 'get' | 'delete' | 'bulkSet' | 'incr' | 'cas' | 'scan' | 'ping' }
>;

export interface Answer {
  lines: ConsoleLine[];
  receipt: Receipt | null;
  ok?: boolean;
}

export function isKeyCommand(command: ConsoleCommand): command is KeyCommand {
  return ['set', 'get', 'delete', 'bulkSet', 'incr', 'cas', 'scan', 'ping'].includes(command.type);
}

export async function answerKeyCommand(client: Client, command: KeyCommand): Promise<Answer> {
  switch (command.type) {
    case 'set': {
      const { receipt } = await client.set(command.key, command.value);
      return { lines: [{ tone: 'ok', text: 'OK' }], receipt };
    }
    case 'get': {
      const { found, value, receipt } = await client.get(command.key);
      return { lines: [found ? valueLine(value) : { tone: 'note', text: '(nil)' }], receipt };
    }
    case 'delete':
      return deleteKeys(client, command.keys);
    case 'bulkSet': {
      const items = command.items.map(({ key, value }) => [key, value] as const);
      const { count, receipt } = await client.bulkSet(items);
      return { lines: [{ tone: 'ok', text: `OK, ${counted(count, 'key')} in one log entry` }], receipt };
    }
    case 'incr': {
      const { value, receipt } = await client.incr(command.key, BigInt(command.by));
      return { lines: [{ tone: 'value', text: String(value) }], receipt };
    }
    case 'cas': {
      const { swapped, current, receipt } = await client.cas(command.key, command.expected, command.value);
      if (swapped) return { lines: [{ tone: 'ok', text: 'OK, swapped' }], receipt };
      const now = current === null ? 'there is no such key' : `the value is ${shownValue(current)}`;
      return { ok: false, lines: [{ tone: 'note', text: `Not swapped: ${now}` }], receipt };
    }
    case 'scan':
      return scanKeys(client, command);
    case 'ping': {
      const { receipt } = await client.ping();
      return { lines: [{ tone: 'ok', text: 'PONG' }], receipt };
    }
  }
}

async function deleteKeys(client: Client, keys: readonly string[]): Promise<Answer> {
  const outcomes = await Promise.all(keys.map((key) => client.delete(key)));
  const existed = outcomes.filter((outcome) => outcome.existed).length;
  const receipt = outcomes.at(-1)?.receipt ?? null;
  const text = keys.length === 1 && existed === 0 ? '0 (there was no such key)' : String(existed);
  return { lines: [{ tone: 'value', text }], receipt };
}

async function scanKeys(
  client: Client,
  { prefix, limit }: { prefix: string; limit: number },
): Promise<Answer> {
  const { items, cursor, receipt } = await client.scanPage({ prefix, limit });
  const lines: ConsoleLine[] = items.map(({ key, value }) => ({
    tone: 'table',
    text: `${shownKey(key)}  ${shownValue(value)}`,
  }));
  const more = cursor === null ? '' : `, and there are more: scan ${prefix} --limit ${limit * 10}`;
  lines.push({ tone: 'note', text: `${counted(items.length, 'key')}${more}` });
  return { lines, receipt };
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

function shownValue(value: ReplyValue): string {
  if (value instanceof Uint8Array) return bytesText(value);
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(value, (_name, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
}

/** As redis-cli shows bytes: `"\\xff\\x00"`. */
function bytesText(bytes: Uint8Array): string {
  return `"${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
}

function valueLine(value: ReplyValue): ConsoleLine {
  return { tone: 'value', text: shownValue(value) };
}

/** Quoted when it could be taken for something else. */
function shownKey(key: string | Uint8Array): string {
  if (key instanceof Uint8Array) return bytesText(key);
  return /^[\x21\x23-\x7e\u00a1-\uffff]+$/.test(key) ? key : JSON.stringify(key);
}
