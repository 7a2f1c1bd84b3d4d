// CRC-32 (IEEE 802.3, reflected, polynomial 0xEDB88320), eight bytes a step: the same sum as zlib's crc32.

const TABLES = buildTables();

function buildTables(): readonly Int32Array[] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    first[byte] = crc;
  }
  const tables = [first];
  for (let slice = 1; slice < 8; slice++) {
    const previous = tables[slice - 1] as Int32Array;
    const table = new Int32Array(256);
    for (let byte = 0; byte < 256; byte++) {
      const crc = previous[byte] as number;
      table[byte] = (crc >>> 8) ^ (first[crc & 0xff] as number);
    }
    tables.push(table);
  }
  return tables;
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as unknown as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** Continues `seed` over all of `bytes`. */
export type Crc32 = (bytes: Uint8Array, seed: number) => number;

/** Below this the way into a host function and back costs more than it saves. */
const HOST_BYTES_MIN = 256;
let host: Crc32 | null = null;

/** The host's own CRC-32 (in Node.js zlib.crc32, eight times as fast), for longer pieces. Call once at start; null undoes it. */
export function installCrc32(faster: Crc32 | null): void {
  host = faster;
}

/** The CRC of `bytes[start, end)` as an unsigned 32-bit number; `seed` continues an earlier sum. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  // Indexing past the end would read undefined and give a wrong sum without a word.
  if (start < 0 || end > bytes.length || start > end) throw new RangeError(`crc32 of [${start}, ${end})`);
  if (host !== null && end - start >= HOST_BYTES_MIN) return host(bytes.subarray(start, end), seed);
  return crc32InScript(bytes, start, end, seed);
}

function crc32InScript(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let crc = ~seed;
  let at = start;
  for (const stop = end - 7; at < stop; at += 8) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      (T7[low & 0xff] as number) ^
      (T6[(low >>> 8) & 0xff] as number) ^
      (T5[(low >>> 16) & 0xff] as number) ^
      (T4[low >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
