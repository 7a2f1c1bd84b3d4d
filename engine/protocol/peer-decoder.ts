// The reading end of a peer connection: chunks of any size in, a handshake and then messages out.
// It trusts nothing: lengths are bounded before memory is taken, every byte is under a CRC, every message is
// checked for shape. What it cannot make sense of is a PeerFrameError, after which the connection is to be closed.
//
// Memory: nothing returned is a view of a chunk, so the caller may reuse its read buffer, and an entry that stays
// in the log for long does not pin a network chunk. The entries of one AppendEntries share one buffer of their own
// size: a frame that lies whole in a chunk is copied once, a frame that spans chunks is assembled in that buffer.
import type { AppendEntries, Entry, InstallSnapshot, Message } from '../raft/types.ts';
import { ByteReader } from './byte-reader.ts';
import { decodeConfiguration } from './configuration-codec.ts';
import { crc32 } from './crc32.ts';
import { DecodeError } from './decode-error.ts';
import { FRAME_HEADER_BYTES, readEntry } from './frame.ts';
import { readU16, readU32, readU48 } from './little-endian.ts';
import {
  APPEND_HEAD_BYTES,
  MessageCode,
  PEER_FRAME_BYTES_MAX,
  PEER_PREFIX_BYTES,
  SNAPSHOT_HEAD_BYTES,
} from './peer-frames.ts';
import { HANDSHAKE_BYTES_MAX, type Handshake, readHandshake } from './peer-handshake.ts';

export type PeerFrameErrorCode =
  /** The first bytes are no handshake of ours: a stranger. */
  | 'magic'
  /** Another version of the protocol. */
  | 'version'
  /** A CRC, a length, a code or a field is wrong. */
  | 'corrupt'
  /** A frame past the limit. */
  | 'tooLarge';

export class PeerFrameError extends Error {
  override readonly name = 'PeerFrameError';
  readonly code: PeerFrameErrorCode;

  constructor(code: PeerFrameErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The two fields from which a frame's length and its bounds are known. */
const LENGTH_BYTES = 8;
const EMPTY = new Uint8Array(0);

export class PeerDecoder {
  /** The other side's handshake, once it has arrived whole. Set before any message is returned. */
  handshake: Handshake | null = null;
  readonly #frameBytesMax: number;
  /** A frame (or its first LENGTH_BYTES, or the handshake) under assembly; `#filled` bytes of it are there. */
  #pending: Uint8Array = EMPTY;
  #filled = 0;
  /** `#pending` has its final length. */
  #sized = false;
  #failure: PeerFrameError | null = null;

  constructor(options: { frameBytesMax?: number } = {}) {
    this.#frameBytesMax = options.frameBytesMax ?? PEER_FRAME_BYTES_MAX;
  }

  /**
   * Takes what the connection delivered and returns the messages that are now whole, in order. Throws
   * PeerFrameError on the first thing that is wrong, and again at every later call.
   */
  push(chunk: Uint8Array): Message[] {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#push(chunk);
    } catch (error) {
      this.#failure =
        error instanceof PeerFrameError
          ? error
          : new PeerFrameError('corrupt', error instanceof DecodeError ? error.message : String(error));
      this.#pending = EMPTY;
      if (error instanceof PeerFrameError || error instanceof DecodeError) throw this.#failure;
      throw error;
    }
  }

  #push(chunk: Uint8Array): Message[] {
    const messages: Message[] = [];
    let at = this.handshake === null ? this.#greet(chunk) : 0;
    while (at < chunk.length) {
      if (this.#filled === 0) {
        // The fast path: frames that lie whole in this chunk are read where they are.
        const left = chunk.length - at;
        const length = left >= LENGTH_BYTES ? this.#lengthAt(chunk, at) : 0;
        if (length > 0 && length <= left) {
          messages.push(decodeFrame(chunk, at, at + length, true));
          at += length;
          continue;
        }
      }
      at = this.#gather(chunk, at);
      if (this.#sized && this.#filled === this.#pending.length) {
        messages.push(decodeFrame(this.#pending, 0, this.#filled, false));
        this.#release();
      }
    }
    return messages;
  }

  /** Collects the handshake and returns the offset in `chunk` behind it. */
  #greet(chunk: Uint8Array): number {
    const before = this.#filled;
    const taken = Math.min(chunk.length, HANDSHAKE_BYTES_MAX - before);
    const gathered = new Uint8Array(before + taken);
    gathered.set(this.#pending);
    gathered.set(chunk.subarray(0, taken), before);
    const reading = readHandshake(gathered);
    if (reading.status === 'refused') throw new PeerFrameError(reading.code, reading.message);
    if (reading.status === 'incomplete') {
      this.#pending = gathered;
      this.#filled = gathered.length;
      return chunk.length;
    }
    this.handshake = reading.handshake;
    this.#release();
    return reading.bytes - before;
  }

  /** Moves bytes of `chunk` into the frame under assembly; returns the offset behind them. */
  #gather(chunk: Uint8Array, start: number): number {
    let at = start;
    if (!this.#sized) {
      if (this.#filled === 0) this.#pending = new Uint8Array(LENGTH_BYTES);
      while (this.#filled < LENGTH_BYTES && at < chunk.length) {
        this.#pending[this.#filled++] = chunk[at++] as number;
      }
      if (this.#filled < LENGTH_BYTES) return at;
      const frame = new Uint8Array(this.#lengthAt(this.#pending, 0));
      frame.set(this.#pending);
      this.#pending = frame;
      this.#sized = true;
    }
    const taken = Math.min(chunk.length - at, this.#pending.length - this.#filled);
    this.#pending.set(chunk.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    return at + taken;
  }

  #release(): void {
    this.#pending = EMPTY;
    this.#filled = 0;
    this.#sized = false;
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const length = readU32(bytes, at + 4);
    if (length < PEER_PREFIX_BYTES) throw new PeerFrameError('corrupt', `a peer frame of ${length} bytes`);
    if (length > this.#frameBytesMax) {
      throw new PeerFrameError('tooLarge', `a peer frame of ${length} bytes; at most ${this.#frameBytesMax}`);
    }
    return length;
  }
}

interface Prefix {
  from: number;
  to: number;
  term: number;
}

/** The message in `bytes[start, end)`. `shared`: the bytes are someone else's and nothing may keep a view of them. */
function decodeFrame(bytes: Uint8Array, start: number, end: number, shared: boolean): Message {
  const code = bytes[start + 8] as number;
  const summed = code === MessageCode.AppendEntries ? Math.min(end, start + APPEND_HEAD_BYTES) : end;
  if (crc32(bytes, start + 4, summed) !== readU32(bytes, start)) {
    throw new PeerFrameError('corrupt', 'the CRC of a peer frame does not match');
  }
  const flags = bytes[start + 9] as number;
  if (flags > 1) throw new DecodeError(`unknown flags ${flags}`, start + 9);
  const prefix = {
    from: readU32(bytes, start + 10),
    to: readU32(bytes, start + 14),
    term: readU48(bytes, start + 18),
  };
  if (prefix.from === 0 || prefix.to === 0) throw new DecodeError('a message from or to nobody', start + 10);
  const reader = new ByteReader(bytes, start + PEER_PREFIX_BYTES, end);
  if (code === MessageCode.AppendEntries) {
    if (flags !== 0) throw new DecodeError('AppendEntries with a flag', start + 9);
    return decodeAppendEntries(prefix, reader, shared);
  }
  if (code === MessageCode.InstallSnapshot) return decodeInstallSnapshot(prefix, flags === 1, reader, shared);
  const message = decodePlain(prefix, code, flags === 1, reader);
  reader.finish();
  return message;
}

/** Messages whose flag means nothing must not carry it: one message has one encoding. */
function unflagged(flag: boolean, reader: ByteReader): void {
  if (flag) reader.fail('a flag that this message does not have');
}

function decodePlain({ from, to, term }: Prefix, code: number, flag: boolean, reader: ByteReader): Message {
  switch (code) {
    case MessageCode.PreVote: {
      const last = { lastLogIndex: reader.u48(), lastLogTerm: reader.u48() };
      return { type: 'PreVote', from, to, term, ...last, ...(flag && { hasLostMemory: true }) };
    }
    case MessageCode.PreVoteResponse: {
      if (reader.left === 0) return { type: 'PreVoteResponse', from, to, term, voteGranted: flag };
      const committed = { index: reader.u48(), configuration: decodeConfiguration(readRest(reader)) };
      return { type: 'PreVoteResponse', from, to, term, voteGranted: flag, committed };
    }
    case MessageCode.RequestVote: {
      const lastLogIndex = reader.u48();
      const lastLogTerm = reader.u48();
      return { type: 'RequestVote', from, to, term, lastLogIndex, lastLogTerm, leadershipTransfer: flag };
    }
    case MessageCode.RequestVoteResponse:
      return { type: 'RequestVoteResponse', from, to, term, voteGranted: flag };
    case MessageCode.AppendEntriesResponse: {
      const numbers = { matchIndex: reader.u48(), prevLogIndex: reader.u48() };
      const conflict = { conflictIndex: reader.u48(), conflictTerm: reader.u48() };
      return { type: 'AppendEntriesResponse', from, to, term, success: flag, ...numbers, ...conflict };
    }
    case MessageCode.Heartbeat:
      unflagged(flag, reader);
      return { type: 'Heartbeat', from, to, term, leaderCommit: reader.u48(), readRound: reader.u48() };
    case MessageCode.HeartbeatResponse:
      return {
        type: 'HeartbeatResponse',
        from,
        to,
        term,
        readRound: reader.u48(),
        ...(flag && { promise: true }),
      };
    case MessageCode.InstallSnapshotResponse: {
      const lastIncludedIndex = reader.u48();
      const offset = reader.u48();
      return { type: 'InstallSnapshotResponse', from, to, term, lastIncludedIndex, offset, installed: flag };
    }
    case MessageCode.TimeoutNow:
      unflagged(flag, reader);
      return { type: 'TimeoutNow', from, to, term };
    case MessageCode.ReadIndex:
      unflagged(flag, reader);
      return { type: 'ReadIndex', from, to, term, requestId: reader.u48() };
    case MessageCode.ReadIndexResponse:
      unflagged(flag, reader);
      return { type: 'ReadIndexResponse', from, to, term, requestId: reader.u48(), readIndex: reader.u48() };
    default:
      return reader.fail(`unknown message code ${code}`);
  }
}

function readRest(reader: ByteReader): Uint8Array {
  const start = reader.skip(reader.left);
  return reader.bytes.subarray(start, reader.end);
}

/** Not `slice`: on a Buffer of Node.js that is a view. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

function decodeAppendEntries({ from, to, term }: Prefix, reader: ByteReader, shared: boolean): AppendEntries {
  const prevLogIndex = reader.u48();
  const prevLogTerm = reader.u48();
  const leaderCommit = reader.u48();
  const count = reader.u32();
  // Before anything is allocated for `count`.
  if (count * FRAME_HEADER_BYTES > reader.left) reader.fail(`${count} entries in ${reader.left} bytes`);
  const start = reader.skip(reader.left);
  const bytes = shared ? copyOf(reader.bytes, start, reader.end) : reader.bytes.subarray(start, reader.end);
  const entries: Entry[] = [];
  let offset = 0;
  let lastTerm = prevLogTerm;
  for (let index = prevLogIndex + 1; index <= prevLogIndex + count; index++) {
    const entry = readEntry(bytes, offset);
    if (typeof entry === 'string') throw new DecodeError(entry, offset);
    if (entry.index !== index) throw new DecodeError(`entry ${entry.index} where ${index} belongs`, offset);
    // Terms rise along every log, and no leader has an entry of a later term than its own (paper §5.3).
    if (entry.term < lastTerm || entry.term > term) {
      throw new DecodeError(
        `an entry of term ${entry.term} after ${lastTerm} from a leader of ${term}`,
        offset,
      );
    }
    lastTerm = entry.term;
    entries.push(entry);
    offset = entry.end;
  }
  if (offset !== bytes.length) throw new DecodeError(`${bytes.length - offset} bytes too many`, offset);
  return { type: 'AppendEntries', from, to, term, prevLogIndex, prevLogTerm, entries, leaderCommit };
}

function readIds(reader: ByteReader, count: number): number[] {
  const ids: number[] = [];
  for (let at = 0; at < count; at++) {
    const id = reader.u32();
    if (id === 0) reader.fail('a member without an id');
    ids.push(id);
  }
  return ids;
}

function decodeInstallSnapshot(
  prefix: Prefix,
  done: boolean,
  reader: ByteReader,
  shared: boolean,
): InstallSnapshot {
  const lastIncludedIndex = reader.u48();
  const lastIncludedTerm = reader.u48();
  const offset = reader.u48();
  const totalBytes = reader.u48();
  const countsAt = reader.skip(SNAPSHOT_HEAD_BYTES - PEER_PREFIX_BYTES - 28);
  const dataBytes = reader.u32();
  const configuration = {
    voters: readIds(reader, readU16(reader.bytes, countsAt)),
    votersOutgoing: readIds(reader, readU16(reader.bytes, countsAt + 2)),
    learners: readIds(reader, readU16(reader.bytes, countsAt + 4)),
  };
  const start = reader.skip(dataBytes);
  reader.finish();
  const data = shared
    ? copyOf(reader.bytes, start, start + dataBytes)
    : reader.bytes.subarray(start, start + dataBytes);
  return {
    type: 'InstallSnapshot',
    ...prefix,
    lastIncludedIndex,
    lastIncludedTerm,
    configuration,
    offset,
    data,
    done,
    totalBytes,
  };
}
