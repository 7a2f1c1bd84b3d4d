// Numbers in the arguments of RESP commands, as strict as Redis: no white space, no plus, no leading zero.
import type { ByteString } from '../protocol/command.ts';

const WHOLE = /^(?:0|-?[1-9][0-9]{0,18})$/;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** A signed number of 64 bits, or null. */
export function parseInt64(text: ByteString): bigint | null {
  if (!WHOLE.test(text)) return null;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX ? value : null;
}

/** A signed 64-bit number as a double: exact up to 2^53, which is beyond every length and count. */
export function parseWhole(text: ByteString): number | null {
  if (!WHOLE.test(text)) return null;
  if (text.length <= 15) return Number(text);
  const value = parseInt64(text);
  return value === null ? null : Number(value);
}

export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}
