// The opaque cursor of a scan: the last key of the page, in a form that fits a JSON string. A cursor outlives
// leaders and restarts, because it holds nothing but the key.
import type { ByteString } from './command.ts';
import { bytesOfBase64 } from './json-value.ts';

const PREFIX = 'k1:';

export function encodeCursor(lastKey: ByteString): string {
  return PREFIX + btoa(lastKey);
}

/** The key behind which the next page begins; null when this is no cursor. */
export function decodeCursor(cursor: string): ByteString | null {
  return cursor.startsWith(PREFIX) ? bytesOfBase64(cursor.slice(PREFIX.length)) : null;
}
