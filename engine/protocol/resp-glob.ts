// Redis's glob for KEYS, SCAN and CONFIG GET: * ? [abc] [^a] [a-z] and \ before what is meant literally. Bytes, not
// characters. Linear in the key for each star: a pattern of many stars is no way to stop a node.
import type { ByteString } from './command.ts';

/** A pattern, taken apart once and matched many times. Two stars in a row are one. */
export class RespGlob {
  readonly #parts: readonly (Any | Single)[];
  /** What every match begins with. */
  readonly prefix: ByteString;

  constructor(pattern: ByteString) {
    const parts = parse(pattern);
    this.#parts = parts;
    let prefix = '';
    for (const part of parts) {
      if (part === ANY || part.literal === null) break;
      prefix += part.literal;
    }
    this.prefix = prefix;
  }

  /** Every key matches. */
  get isEverything(): boolean {
    return this.#parts.length === 1 && this.#parts[0] === ANY;
  }

  matches(key: ByteString): boolean {
    const parts = this.#parts;
    let part = 0;
    let at = 0;
    // Only the last star ever needs another try: what stood before it has matched as early as it can.
    let starPart = -1;
    let starAt = 0;
    while (at < key.length) {
      const wanted = parts[part];
      if (wanted === ANY) {
        starPart = part++;
        starAt = at;
      } else if (wanted !== undefined && matchesOne(wanted, key, at)) {
        part++;
        at++;
      } else if (starPart !== -1) {
        part = starPart + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    while (parts[part] === ANY) part++;
    return part === parts.length;
  }
}

const ANY = 'any';
type Any = typeof ANY;

interface Single {
  /** The one byte that fits, or null when there are several. */
  literal: ByteString | null;
  /** Of a class; 256 flags. */
  fits: Uint8Array | null;
}

const QUESTION: Single = { literal: null, fits: null };

function matchesOne(part: Single, key: ByteString, at: number): boolean {
  if (part.literal !== null) return key[at] === part.literal;
  return part.fits === null || part.fits[key.charCodeAt(at)] === 1;
}

function parse(pattern: ByteString): (Any | Single)[] {
  const parts: (Any | Single)[] = [];
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at] as string;
    if (character === '*') {
      if (parts[parts.length - 1] !== ANY) parts.push(ANY);
      at++;
    } else if (character === '?') {
      parts.push(QUESTION);
      at++;
    } else if (character === '[') {
      at = parseClass(pattern, at + 1, parts);
    } else {
      if (character === '\\' && at + 1 < pattern.length) at++;
      parts.push({ literal: pattern[at] as string, fits: null });
      at++;
    }
  }
  return parts;
}

/** A class that is not closed ends with the pattern. Returns the place behind it. */
function parseClass(pattern: ByteString, begin: number, parts: (Any | Single)[]): number {
  let at = begin;
  const negated = pattern[at] === '^';
  if (negated) at++;
  const fits = new Uint8Array(256);
  for (; at < pattern.length && pattern[at] !== ']'; at++) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) {
      at++;
      fits[pattern.charCodeAt(at)] = 1;
    } else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const from = pattern.charCodeAt(at);
      const to = pattern.charCodeAt(at + 2);
      fits.fill(1, Math.min(from, to), Math.max(from, to) + 1);
      at += 2;
    } else {
      fits[pattern.charCodeAt(at)] = 1;
    }
  }
  if (negated) for (let byte = 0; byte < 256; byte++) fits[byte] = 1 - (fits[byte] as number);
  parts.push({ literal: null, fits });
  return at + 1;
}
