// The whole state of a keyspace as a stream of bytes and back: what a snapshot holds. Checksums are the
// snapshot file's.
//
// The stream is a row of blocks, each `u32 length of the content, u8 type, content`; little endian:
//   1 header    8 bytes magic, u8 version, u48 last applied, u48 revision, u53 keys, u53 bytes, u53 sessions;
//               in version 2 u48 time, u53 keys with an end
//   2 keys      until the block ends: records (record-bytes.ts), with ends in version 2 alone; keys rise
//   3 sessions  until the block ends: 16 bytes client, u53 sequence, result (result-codec.ts); in version 2 u48
//               time of its last use behind the sequence
//   4 end       nothing
// A state in which no time has passed is written as version 1.
// One state has one stream: equal states give equal bytes, whatever way led to them.
import { ByteReader } from '../protocol/byte-reader.ts';
import { ByteWriter } from '../protocol/byte-writer.ts';
import { ValueKind } from '../protocol/command.ts';
import { CLIENT_ID_BYTES } from '../protocol/command-codec.ts';
import { DecodeError } from '../protocol/decode-error.ts';
import { readU32, writeU32 } from '../protocol/little-endian.ts';
import type { KeyspaceState, KeyspaceView } from './key-record.ts';
import { END_FLAG, emptyFields } from './record-bytes.ts';
import { Records } from './records.ts';
import { readResult, writeResult } from './result-codec.ts';
import type { Session } from './sessions.ts';

const Block = { header: 1, keys: 2, sessions: 3, end: 4 } as const;
type BlockType = (typeof Block)[keyof typeof Block];

const MAGIC = 'QLKEYS\r\n';
const VERSION_WITHOUT_TIME = 1;
const VERSION_WITH_TIME = 2;
const PREFIX_BYTES = 5;
const NOTHING = new Uint8Array(0);
const BLOCK_BYTES_DEFAULT = 64 * 1024;
/** One record of the largest size, and a block before it. */
const BLOCK_BYTES_MAX = 128 * 1024 * 1024;

/** One block after the other in the same memory: its prefix is filled in when it is closed. */
class BlockWriter extends ByteWriter {
  constructor(blockBytes: number) {
    super(Math.ceil(blockBytes * 1.25));
    this.open();
  }

  open(): void {
    this.clear();
    this.u32(0);
    this.u8(0);
  }

  close(type: BlockType): Uint8Array {
    const bytes = this.take();
    writeU32(bytes, 0, bytes.length - PREFIX_BYTES);
    bytes[4] = type;
    return bytes;
  }
}

/**
 * The stream, one block at a time: take the next whenever there is time for it. Blocks are about `blockBytes`
 * long, longer only where one record is; now and then one is empty. The view does not change, so the live state may.
 * A view gives its stream once; whoever asked for it releases it. A block is good until the next one is taken.
 */
export function* dumpKeyspace(
  view: KeyspaceView,
  blockBytes = BLOCK_BYTES_DEFAULT,
): Generator<Uint8Array, void, undefined> {
  const { counts } = view.records;
  const hasTime = view.time > 0 || counts.expiring > 0;
  const block = new BlockWriter(blockBytes);
  block.byteString(MAGIC);
  block.u8(hasTime ? VERSION_WITH_TIME : VERSION_WITHOUT_TIME);
  block.u48(view.lastApplied);
  block.u48(view.revision);
  block.u53(counts.size);
  block.u53(counts.bytes);
  block.u53(view.sessions.length);
  if (hasTime) {
    block.u48(view.time);
    block.u53(counts.expiring);
  }
  yield block.close(Block.header);

  block.open();
  while (view.records.fill(block, blockBytes)) {
    // A block of nothing but its prefix may be long enough for whoever wants tiny ones.
    if (block.length === PREFIX_BYTES || block.length < blockBytes) {
      yield NOTHING;
      continue;
    }
    yield block.close(Block.keys);
    block.open();
  }
  if (block.length > PREFIX_BYTES) yield block.close(Block.keys);

  block.open();
  for (const session of view.sessions) {
    block.byteString(session.client);
    block.u53(session.sequence);
    if (hasTime) block.u48(session.usedAt);
    writeResult(block, session.result);
    if (block.length < blockBytes) continue;
    yield block.close(Block.sessions);
    block.open();
  }
  if (block.length > PREFIX_BYTES) yield block.close(Block.sessions);
  block.open();
  yield block.close(Block.end);
}

interface DumpHeader {
  hasTime: boolean;
  lastApplied: number;
  revision: number;
  keys: number;
  bytes: number;
  sessions: number;
  time: number;
  expiring: number;
}

/** Takes the stream in pieces of any size. Throws DecodeError, and nothing else, when it is no such stream. */
export class KeyspaceRestorer {
  readonly #records = new Records();
  readonly #fields = emptyFields();
  readonly #sessions: Session[] = [];
  #header: DumpHeader | null = null;
  #ended = false;
  /** The beginning of a block whose end has not come. */
  #pending = new Uint8Array(0);
  #filled = 0;
  /** Bytes of the stream before the pending ones, for error messages. */
  #offset = 0;

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#ended) throw new DecodeError('bytes behind the end of a keyspace', this.#offset);
      at = this.#fill(chunk, at, PREFIX_BYTES);
      if (this.#filled < PREFIX_BYTES) return;
      const length = readU32(this.#pending, 0);
      if (length > BLOCK_BYTES_MAX) throw new DecodeError(`a block of ${length} bytes`, this.#offset);
      at = this.#fill(chunk, at, PREFIX_BYTES + length);
      if (this.#filled < PREFIX_BYTES + length) return;
      this.#read(this.#pending[4] as number, new ByteReader(this.#pending, PREFIX_BYTES, this.#filled));
      this.#offset += this.#filled;
      this.#filled = 0;
    }
  }

  /** The whole state. Throws DecodeError when the stream was cut short or its counts do not add up. */
  finish(): KeyspaceState {
    const header = this.#header;
    if (header === null || !this.#ended) throw new DecodeError('a keyspace that is cut short', this.#offset);
    const [records, sessions] = [this.#records, this.#sessions];
    if (
      header.keys !== records.size ||
      header.bytes !== records.bytes ||
      header.expiring !== records.ends.size ||
      header.sessions !== sessions.length
    ) {
      throw new DecodeError('the counts of the keyspace do not add up', this.#offset);
    }
    const { lastApplied, revision, time } = header;
    return { records, revision, lastApplied, time, sessions };
  }

  /** Moves bytes of `chunk` from `at` on until `target` bytes are pending; returns the offset behind them. */
  #fill(chunk: Uint8Array, at: number, target: number): number {
    const taken = Math.min(Math.max(0, target - this.#filled), chunk.length - at);
    const length = this.#filled + taken;
    if (length > this.#pending.length) {
      // Grows with what has come, not with what was announced.
      const grown = new Uint8Array(Math.max(length, Math.min(target, 2 * this.#pending.length)));
      grown.set(this.#pending.subarray(0, this.#filled));
      this.#pending = grown;
    }
    this.#pending.set(chunk.subarray(at, at + taken), this.#filled);
    this.#filled = length;
    return at + taken;
  }

  #read(type: number, reader: ByteReader): void {
    if ((type === Block.header) !== (this.#header === null))
      reader.fail('a header that is missing or comes twice');
    switch (type) {
      case Block.header:
        this.#readHeader(reader);
        return;
      case Block.keys:
        if (this.#sessions.length > 0) reader.fail('keys behind sessions');
        while (reader.left > 0) this.#readKey(reader);
        return;
      case Block.sessions:
        while (reader.left > 0) this.#readSession(reader);
        return;
      case Block.end:
        reader.finish();
        this.#ended = true;
        return;
      default:
        reader.fail(`unknown block type ${type}`);
    }
  }

  #readHeader(reader: ByteReader): void {
    if (reader.byteString(MAGIC.length) !== MAGIC) reader.fail('no keyspace');
    const version = reader.u8();
    if (version !== VERSION_WITHOUT_TIME && version !== VERSION_WITH_TIME) {
      reader.fail(`unknown version ${version} of a keyspace`);
    }
    const hasTime = version === VERSION_WITH_TIME;
    this.#header = {
      hasTime,
      lastApplied: reader.u48(),
      revision: reader.u48(),
      keys: reader.u53(),
      bytes: reader.u53(),
      sessions: reader.u53(),
      time: hasTime ? reader.u48() : 0,
      expiring: hasTime ? reader.u53() : 0,
    };
    reader.finish();
  }

  #readKey(reader: ByteReader): void {
    const start = reader.offset;
    const first = reader.u8();
    const hasEnd = first >= END_FLAG;
    const kind = first & ~END_FLAG;
    if (kind !== ValueKind.bytes && kind !== ValueKind.json) reader.fail(`unknown kind of value ${kind}`);
    if (hasEnd && this.#header?.hasTime !== true) reader.fail('an end in a keyspace without time');
    const fields = this.#fields;
    fields.bytes = reader.bytes;
    fields.kind = kind;
    fields.revision = reader.u48();
    if (fields.revision > (this.#header?.lastApplied ?? 0)) reader.fail('a record from after its keyspace');
    fields.expiresAt = hasEnd ? reader.u48() : 0;
    if (hasEnd && fields.expiresAt === 0) reader.fail('an end at 0');
    fields.lengthsStart = reader.offset;
    const keyLength = reader.varint();
    fields.keyStart = reader.skip(keyLength);
    fields.keyEnd = fields.keyStart + keyLength;
    const valueLength = reader.varint();
    fields.valueStart = reader.skip(valueLength);
    fields.valueEnd = fields.valueStart + valueLength;
    if (!this.#records.append(start, fields)) reader.fail('keys that do not rise');
  }

  #readSession(reader: ByteReader): void {
    const client = reader.byteString(CLIENT_ID_BYTES);
    const sequence = reader.u53();
    const usedAt = this.#header?.hasTime === true ? reader.u48() : 0;
    this.#sessions.push({ client, sequence, result: readResult(reader), usedAt });
  }
}
