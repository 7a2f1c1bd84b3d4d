// RESP replies, versions 2 and 3, as byte strings: one character a byte, to be written as Latin-1. What version 2
// lacks is written the way Redis writes it there: a map as a flat array, a set as an array, a double as text.
import type { ByteString } from './command.ts';

export type RespVersion = 2 | 3;

export const OK = '+OK\r\n';
export const PONG = '+PONG\r\n';
export const QUEUED = '+QUEUED\r\n';
export const EMPTY_ARRAY = '*0\r\n';

const SMALL_INTEGERS = Array.from({ length: 64 }, (_, value) => `:${value}\r\n`);

/** No line ends in it. */
export function simple(text: ByteString): ByteString {
  return `+${text}\r\n`;
}

/** `text` begins with its code, as in `ERR syntax error`. Line ends, which the client may have sent, become spaces. */
export function error(text: ByteString): ByteString {
  return `-${text.replace(/[\r\n]/g, ' ')}\r\n`;
}

export function integer(value: number | bigint | string): ByteString {
  return SMALL_INTEGERS[value as number] ?? `:${value}\r\n`;
}

export function bulk(value: ByteString): ByteString {
  return `$${value.length}\r\n${value}\r\n`;
}

export function nullBulk(version: RespVersion): ByteString {
  return version === 3 ? '_\r\n' : '$-1\r\n';
}

export function nullArray(version: RespVersion): ByteString {
  return version === 3 ? '_\r\n' : '*-1\r\n';
}

export function bulkOrNull(value: ByteString | null, version: RespVersion): ByteString {
  return value === null ? nullBulk(version) : bulk(value);
}

export function boolean(value: boolean, version: RespVersion): ByteString {
  if (version === 3) return value ? '#t\r\n' : '#f\r\n';
  return value ? ':1\r\n' : ':0\r\n';
}

export function double(value: number, version: RespVersion): ByteString {
  const text = Number.isNaN(value) ? 'nan' : String(value).replace('Infinity', 'inf');
  return version === 3 ? `,${text}\r\n` : bulk(text);
}

export function bigNumber(value: bigint, version: RespVersion): ByteString {
  return version === 3 ? `(${value}\r\n` : bulk(String(value));
}

/** `format` has three characters: `txt` or `mkd`. */
export function verbatim(format: string, text: ByteString, version: RespVersion): ByteString {
  return version === 3 ? `=${text.length + 4}\r\n${format}:${text}\r\n` : bulk(text);
}

/** The items are encoded. */
export function array(items: readonly ByteString[]): ByteString {
  return `*${items.length}\r\n${items.join('')}`;
}

export function bulks(values: readonly ByteString[]): ByteString {
  let text = `*${values.length}\r\n`;
  for (const value of values) text += `$${value.length}\r\n${value}\r\n`;
  return text;
}

export function set(items: readonly ByteString[], version: RespVersion): ByteString {
  return `${version === 3 ? '~' : '*'}${items.length}\r\n${items.join('')}`;
}

/** Pairs of encoded keys and values. */
export function map(pairs: readonly (readonly [ByteString, ByteString])[], version: RespVersion): ByteString {
  let text = version === 3 ? `%${pairs.length}\r\n` : `*${pairs.length * 2}\r\n`;
  for (const [key, value] of pairs) text += key + value;
  return text;
}

export function push(items: readonly ByteString[], version: RespVersion): ByteString {
  return `${version === 3 ? '>' : '*'}${items.length}\r\n${items.join('')}`;
}
