// One line typed by a person, cut into arguments by Redis's rules: white space separates; "double quotes" know
// \n \r \t \b \a \xHH and \<any>; 'single quotes' know \' only; a closing quote is followed by white space.

export interface InlineLine {
  /** The arguments, one after the other. */
  bytes: Uint8Array;
  /** Where each argument ends in `bytes`. */
  ends: number[];
}

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const LOWER_X = 0x78;

const ESCAPES = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x61, 0x07],
]);

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** What ends a word outside of quotes; a NUL ends Redis's strings. */
function endsWord(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** The arguments of `[start, end)`, which has no line end; null when quotes are unbalanced. No result is longer than its line. */
export function splitInline(source: Uint8Array, start: number, end: number): InlineLine | null {
  const bytes = new Uint8Array(end - start);
  const ends: number[] = [];
  let used = 0;
  let at = start;
  while (at < end) {
    if (isSpace(source[at] as number)) {
      at++;
      continue;
    }
    for (; at < end; ) {
      const byte = source[at] as number;
      if (endsWord(byte)) break;
      if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) {
        bytes[used++] = byte;
        at++;
        continue;
      }
      const quoted = byte === DOUBLE_QUOTE ? readDouble : readSingle;
      const after = quoted(source, at + 1, end, (value) => {
        bytes[used++] = value;
      });
      if (after === -1 || (after < end && !isSpace(source[after] as number))) return null;
      at = after;
      break;
    }
    ends.push(used);
    if (at < end && source[at] === 0) break;
  }
  return { bytes, ends };
}

/** The place behind the closing quote, or -1. */
function readDouble(source: Uint8Array, begin: number, end: number, put: (byte: number) => void): number {
  for (let at = begin; at < end; at++) {
    const byte = source[at] as number;
    if (byte === DOUBLE_QUOTE) return at + 1;
    if (byte !== BACKSLASH || at + 1 >= end) {
      put(byte);
      continue;
    }
    const escaped = source[at + 1] as number;
    const high = at + 3 < end ? hexDigit(source[at + 2]) : -1;
    const low = at + 3 < end ? hexDigit(source[at + 3]) : -1;
    if (escaped === LOWER_X && high >= 0 && low >= 0) {
      put(high * 16 + low);
      at += 3;
    } else {
      put(ESCAPES.get(escaped) ?? escaped);
      at += 1;
    }
  }
  return -1;
}

function readSingle(source: Uint8Array, begin: number, end: number, put: (byte: number) => void): number {
  for (let at = begin; at < end; at++) {
    const byte = source[at] as number;
    if (byte === SINGLE_QUOTE) return at + 1;
    if (byte === BACKSLASH && at + 1 < end && source[at + 1] === SINGLE_QUOTE) {
      put(SINGLE_QUOTE);
      at++;
    } else {
      put(byte);
    }
  }
  return -1;
}
