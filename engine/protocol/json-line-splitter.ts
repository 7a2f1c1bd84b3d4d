// Bytes of a connection in, lines of text out: bounded, across chunks, strict about UTF-8.

/** A line longer than the limit. Nothing comes after it: say TOO_LARGE and close. */
export const LINE_TOO_LONG = { fault: 'tooLong' } as const;
/** A line that is not UTF-8: say INVALID_JSON and go on. */
export const LINE_NOT_UTF8 = { fault: 'notUtf8' } as const;

export type LineFault = typeof LINE_TOO_LONG | typeof LINE_NOT_UTF8;
export type SplitLine = string | LineFault;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const PENDING_BYTES_MIN = 256;
/** A pending buffer above this is given back once its line is whole. */
const PENDING_BYTES_KEPT = 64 * 1024;

// ignoreBOM keeps U+FEFF, which is then refused as the JSON error that it is.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null; // `fatal` throws on exactly one thing: bytes that are not UTF-8.
  }
}

export class JsonLineSplitter {
  readonly #lineBytesMax: number;
  /** The beginning of a line whose end has not come; `#filled` bytes of it are in use. */
  #pending = new Uint8Array(0);
  #filled = 0;
  #closed = false;

  /** `lineBytesMax`: longest line, its ending not counted. */
  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Bytes of a line that is still without its end. */
  get pendingBytes(): number {
    return this.#filled;
  }

  /**
   * The lines that end in this chunk, without their endings (`\n` or `\r\n`) and without blank lines. Keeps no view
   * of the chunk. After LINE_TOO_LONG everything is ignored.
   */
  push(chunk: Uint8Array): SplitLine[] {
    const lines: SplitLine[] = [];
    if (this.#closed) return lines;
    let start = 0;
    if (this.#filled > 0) {
      const newline = chunk.indexOf(NEWLINE);
      const end = newline === -1 ? chunk.length : newline;
      if (!this.#keep(chunk, 0, end, lines)) return lines;
      if (newline === -1) return lines;
      this.#emit(this.#pending.subarray(0, this.#filled), lines);
      this.#filled = 0;
      if (this.#pending.length > PENDING_BYTES_KEPT) this.#pending = new Uint8Array(0);
      start = newline + 1;
    }
    const last = chunk.lastIndexOf(NEWLINE);
    if (last >= start && !this.#closed) this.#emitWhole(chunk.subarray(start, last), lines);
    if (!this.#closed) this.#keep(chunk, Math.max(start, last + 1), chunk.length, lines);
    return lines;
  }

  /** `bytes`: whole lines, the last one's `\n` left off. Decoded in one go when all is well. */
  #emitWhole(bytes: Uint8Array, lines: SplitLine[]): void {
    const text = bytes.length <= this.#lineBytesMax ? decode(bytes) : null;
    if (text !== null) {
      let start = 0;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
        pushLine(text.slice(start, end), lines);
        start = end + 1;
      }
      pushLine(start === 0 ? text : text.slice(start), lines);
      return;
    }
    let start = 0;
    while (start <= bytes.length && !this.#closed) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline === -1 ? bytes.length : newline;
      this.#emit(bytes.subarray(start, end), lines);
      start = end + 1;
    }
  }

  /** One line, possibly with its `\r`, which does not count. */
  #emit(line: Uint8Array, lines: SplitLine[]): void {
    const length = line[line.length - 1] === RETURN ? line.length - 1 : line.length;
    if (length > this.#lineBytesMax) {
      this.#overflow(lines);
      return;
    }
    const text = decode(line);
    if (text === null) lines.push(LINE_NOT_UTF8);
    else pushLine(text, lines);
  }

  /** Adds `chunk[start, end)` to the line under way; false when that makes it too long. */
  #keep(chunk: Uint8Array, start: number, end: number, lines: SplitLine[]): boolean {
    const length = this.#filled + end - start;
    // One byte more than the limit may still be the `\r` of a line that is just short enough.
    if (length > this.#lineBytesMax + 1) {
      this.#overflow(lines);
      return false;
    }
    if (length > this.#pending.length) {
      const doubled = Math.min(this.#lineBytesMax + 1, this.#pending.length * 2);
      const grown = new Uint8Array(Math.max(length, doubled, PENDING_BYTES_MIN));
      grown.set(this.#pending.subarray(0, this.#filled));
      this.#pending = grown;
    }
    this.#pending.set(chunk.subarray(start, end), this.#filled);
    this.#filled = length;
    return true;
  }

  #overflow(lines: SplitLine[]): void {
    lines.push(LINE_TOO_LONG);
    this.#closed = true;
    this.#pending = new Uint8Array(0);
    this.#filled = 0;
  }
}

const BLANK = /^[ \t\r]*$/;

function pushLine(line: string, lines: SplitLine[]): void {
  // Most lines begin with a brace: only the others can be blank or need a closer look.
  if (line.charCodeAt(0) !== 0x7b && BLANK.test(line)) return;
  lines.push(line.charCodeAt(line.length - 1) === RETURN ? line.slice(0, -1) : line);
}
