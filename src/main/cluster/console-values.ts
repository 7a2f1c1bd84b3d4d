// An answer of the console, and values, keys and durations as people read them in it.
import type { Receipt } from '../../../engine/client/operation.ts';
import type { ReplyValue } from '../../../engine/protocol/json-client.ts';
import type { ConsoleLine } from '../../shared/console-line-view.ts';

export interface Answer {
  lines: ConsoleLine[];
  receipt: Receipt | null;
  ok?: boolean;
}

/** `500 ms`, `1.5 s`, `30 s`, `2 h`: in the largest unit that shows it whole, seconds with a fraction else. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds} ms`;
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const) {
    if (milliseconds % size === 0) return `${milliseconds / size} ${unit}`;
  }
  return `${Number((milliseconds / 1000).toFixed(1))} s`;
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

export function shownValue(value: ReplyValue): string {
  if (value instanceof Uint8Array) return bytesText(value);
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(value, (_name, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
}

/** As redis-cli shows bytes: `"\\xff\\x00"`. */
function bytesText(bytes: Uint8Array): string {
  return `"${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
}

export function valueLine(value: ReplyValue): ConsoleLine {
  return { tone: 'value', text: shownValue(value) };
}

/** Quoted when it could be taken for something else. */
export function shownKey(key: string | Uint8Array): string {
  if (key instanceof Uint8Array) return bytesText(key);
  return /^[\x21\x23-\x7e\u00a1-\uffff]+$/.test(key) ? key : JSON.stringify(key);
}
