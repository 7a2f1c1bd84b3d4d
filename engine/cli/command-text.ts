// A command of the log in words, `set "colour" = "blue"`, and as members of a JSON line. Entries are only read here.
import { bytesFromByteString, textFromByteString } from '../protocol/byte-string.ts';
import {
  type ByteString,
  type Command,
  type KeyValue,
  type StoredValue,
  ValueKind,
} from '../protocol/command.ts';

/** A long value is cut here in words; JSON has all of it. */
const SHOWN_CHARACTERS_MAX = 80;
const SHOWN_ITEMS_MAX = 4;

export function describeCommand(command: Command): string {
  switch (command.type) {
    case 'set':
      return `set ${assignment(command)}`;
    case 'delete':
      return `delete ${quoted(command.key)}`;
    case 'bulkSet':
      return `bulk-set of ${command.items.length}: ${listOf(command.items)}`;
    case 'incr':
      return `incr ${quoted(command.key)} by ${command.by}`;
    case 'cas': {
      const expected = command.expected === null ? 'absent' : shown(command.expected);
      return `cas ${quoted(command.key)} from ${expected} to ${shown(command)}`;
    }
    case 'txn': {
      const [then, otherwise] = [command.success, command.failure].map((side) => side.map(describeCommand));
      const conditions = command.compare.map((guard) => JSON.stringify(plainMembers(guard)));
      return cut(
        `txn if [${conditions.join(', ')}] then [${then?.join('; ')}] else [${otherwise?.join('; ')}]`,
      );
    }
    default: {
      const { type, ...rest } = plainMembers(command);
      return cut(`${type} ${JSON.stringify(rest)}`);
    }
  }
}

/** As the protocol writes keys and values: what is no text is base64, and says so. */
export function commandMembers(command: Command): Record<string, unknown> {
  const { type } = command;
  switch (type) {
    case 'set':
      return { type, ...keyMembers(command.key), ...storedMembers(command) };
    case 'delete':
      return { type, ...keyMembers(command.key) };
    case 'bulkSet': {
      const items = command.items.map((item) => ({ ...keyMembers(item.key), ...storedMembers(item) }));
      return { type, items };
    }
    case 'incr':
      return { type, ...keyMembers(command.key), by: BigInt(command.by) };
    case 'cas': {
      const expected = command.expected === null ? null : storedMembers(command.expected);
      return { type, ...keyMembers(command.key), expected, ...storedMembers(command) };
    }
    case 'txn':
      return {
        type,
        on_failure: command.onFailure,
        compare: command.compare.map((guard) => plainMembers(guard)),
        // biome-ignore lint/suspicious/noThenProperty: the protocol's word; nobody awaits a line of a log.
        then: command.success.map(commandMembers),
        else: command.failure.map(commandMembers),
      };
    default:
      return plainMembers(command);
  }
}

/** Any of the other commands: strings are bytes, and a value stands beside its kind. */
function plainMembers(source: object): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(source)) {
    if (name === 'kind') continue;
    if (name === 'key' && typeof value === 'string') Object.assign(members, keyMembers(value));
    else if (name === 'value' && 'kind' in source) {
      Object.assign(members, storedMembers(source as StoredValue));
    } else members[name] = plainValue(value);
  }
  return members;
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'string') return textFromByteString(value) ?? { base64: base64(value) };
  if (Array.isArray(value)) return value.map(plainValue);
  return typeof value === 'object' && value !== null ? plainMembers(value) : value;
}

/** A client id in its usual form. */
export function uuidOf(client: ByteString): string {
  const hex = Buffer.from(client, 'latin1').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function listOf(items: readonly KeyValue[]): string {
  const listed = items.slice(0, SHOWN_ITEMS_MAX).map(assignment);
  const left = items.length - listed.length;
  return [...listed, ...(left > 0 ? [`… ${left} more`] : [])].join(', ');
}

function assignment(item: KeyValue): string {
  return `${quoted(item.key)} = ${shown(item)}`;
}

function shown({ value, kind }: StoredValue): string {
  // The text of a JSON value needs no quotes: a number shows as one.
  return kind === ValueKind.json ? cut(textFromByteString(value) ?? value) : quoted(value);
}

function quoted(value: ByteString): string {
  const text = textFromByteString(value);
  if (text !== null)
    return text.length > SHOWN_CHARACTERS_MAX ? cut(JSON.stringify(text)) : JSON.stringify(text);
  return cut(`base64:${base64(value)}`);
}

function cut(text: string): string {
  if (text.length <= SHOWN_CHARACTERS_MAX) return text;
  return `${text.slice(0, SHOWN_CHARACTERS_MAX)}… (${text.length} characters)`;
}

function base64(value: ByteString): string {
  return Buffer.from(bytesFromByteString(value)).toString('base64');
}

function keyMembers(key: ByteString): Record<string, unknown> {
  const text = textFromByteString(key);
  return text === null ? { key: base64(key), key_encoding: 'base64' } : { key: text };
}

function storedMembers({ value, kind }: StoredValue): Record<string, unknown> {
  const text = textFromByteString(value);
  if (text === null) return { value: base64(value), encoding: 'base64' };
  return { value: kind === ValueKind.json ? jsonOf(text) : text };
}

/** Integers keep all their digits. */
function jsonOf(text: string): unknown {
  if (/^-?\d+$/.test(text)) return BigInt(text);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
