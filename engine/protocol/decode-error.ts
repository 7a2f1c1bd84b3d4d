// What every binary decoder here throws, and the only thing it throws, on bytes that it does not understand.

/** Bytes that are malformed, cut short or of an unknown version. An operating error: refuse the bytes, go on. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  /** Where in the decoded bytes. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.offset = offset;
  }
}
