// Client ids: a UUID in requests, 16 bytes in entries and sessions.
import { readByteString } from './byte-string.ts';
import type { ByteString } from './command.ts';

const UUID_LENGTH = 36;

function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const scratch = new Uint8Array(16);

/** `8-4-4-4-12` hexadecimal digits, in either case, as 16 bytes; null for anything else. */
export function clientIdFromUuid(uuid: string): ByteString | null {
  if (uuid.length !== UUID_LENGTH) return null;
  let text = 0;
  for (let at = 0; at < 16; at++) {
    if (at === 4 || at === 6 || at === 8 || at === 10) {
      if (uuid.charCodeAt(text++) !== 0x2d) return null;
    }
    const high = hexDigit(uuid.charCodeAt(text));
    const low = hexDigit(uuid.charCodeAt(text + 1));
    if (high < 0 || low < 0) return null;
    scratch[at] = high * 16 + low;
    text += 2;
  }
  return readByteString(scratch);
}
