// Unsigned little-endian numbers in a Uint8Array: 32 bits, 48 bits (indexes, terms) and 53 bits (client
// sequences). Bounds are the caller's: these are the innermost loops of every encoder and decoder.

const U16 = 0x1_0000;
const U32 = 0x1_0000_0000;
export const U48_MAX = U32 * U16 - 1;

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = value >>> 8;
}

export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** Throws RangeError for what 48 bits cannot hold: a wrong index on disk would be worse than a crash. */
export function writeU48(bytes: Uint8Array, at: number, value: number): void {
  if (!(value >= 0 && value <= U48_MAX && Number.isInteger(value))) {
    throw new RangeError(`${value} is no 48-bit number`);
  }
  writeU32(bytes, at, value >>> 0);
  writeU16(bytes, at + 4, Math.floor(value / U32));
}

export function readU48(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) + readU16(bytes, at + 4) * U32;
}

/** A safe integer from 0 up, in eight bytes. Throws RangeError for any other number. */
export function writeU53(bytes: Uint8Array, at: number, value: number): void {
  if (!(value >= 0 && Number.isSafeInteger(value)))
    throw new RangeError(`${value} is no safe integer from 0 up`);
  writeU32(bytes, at, value >>> 0);
  writeU32(bytes, at + 4, Math.floor(value / U32));
}

/** May be more than a safe integer when the bytes are not writeU53's: check. */
export function readU53(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) + readU32(bytes, at + 4) * U32;
}
