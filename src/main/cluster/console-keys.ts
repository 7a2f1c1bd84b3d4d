// The console's key commands, through engine/client as any program would send them, and values as people read them.
import type { Client } from '../../../engine/client/client.ts';
import type { ConsoleCommand } from '../../shared/console-command.ts';
import type { ConsoleLine } from '../../shared/console-line-view.ts';
import { answerTransaction } from './console-transaction.ts';
import { type Answer, counted, durationText, shownKey, shownValue, valueLine } from './console-values.ts';

export type KeyCommand = Extract<
  ConsoleCommand,
  {
    type:
      | 'set'
      | 'get'
      | 'delete'
      | 'bulkSet'
      | 'incr'
      | 'cas'
      | 'scan'
      | 'ping'
      | 'ttl'
      | 'persist'
      | 'expire'
      | 'txn';
  }
>;

const KEY_TYPES: ReadonlySet<string> = new Set<KeyCommand['type']>([
  'set',
  'get',
  'delete',
  'bulkSet',
  'incr',
  'cas',
  'scan',
  'ping',
  'ttl',
  'persist',
  'expire',
  'txn',
]);

export function isKeyCommand(command: ConsoleCommand): command is KeyCommand {
  return KEY_TYPES.has(command.type);
}

export async function answerKeyCommand(client: Client, command: KeyCommand): Promise<Answer> {
  switch (command.type) {
    case 'set': {
      const { key, value, ttlMs, keepTtl, onlyIf } = command;
      const how = { ttlMs: ttlMs ?? undefined, keepTtl: keepTtl || undefined, onlyIf: onlyIf ?? undefined };
      const { written, receipt } = await client.set(key, value, how);
      if (written)
        return {
          lines: [{ tone: 'ok', text: ttlMs === null ? 'OK' : `OK, for ${durationText(ttlMs)}` }],
          receipt,
        };
      const why = onlyIf === 'absent' ? 'there is such a key already' : 'there is no such key';
      return { ok: false, lines: [{ tone: 'note', text: `Not written: ${why}` }], receipt };
    }
    case 'ttl':
      return timeLeft(client, command.key);
    case 'expire': {
      const { changed, receipt } = await client.expire(command.key, command.ttlMs);
      if (!changed) return { ok: false, lines: [{ tone: 'note', text: 'There is no such key' }], receipt };
      return { lines: [{ tone: 'ok', text: `OK, it ends in ${durationText(command.ttlMs)}` }], receipt };
    }
    case 'persist': {
      const { changed, receipt } = await client.persist(command.key);
      const text = changed ? 'OK, it stays' : 'Nothing to change: no such key, or no end';
      return { lines: [{ tone: changed ? 'ok' : 'note', text }], receipt };
    }
    case 'txn':
      return answerTransaction(client, command);
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

async function timeLeft(client: Client, key: string): Promise<Answer> {
  const { exists, ttlMs, receipt } = await client.ttl(key);
  if (!exists) return { lines: [{ tone: 'note', text: '(nil)' }], receipt };
  const text = ttlMs === null ? 'It has no end' : `${durationText(ttlMs)} left`;
  return { lines: [{ tone: 'value', text }], receipt };
}
