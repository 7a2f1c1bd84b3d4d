// The hot path of writing: `SET key value` straight from the client's bytes into the bytes of its entry, without a
// string in between. Byte for byte what encodeProposal makes of the same command (test/resp/set-entry.test.ts).
import { type Entry, EntryKind } from '../raft/types.ts';
import { varintBytes, writeVarint } from './byte-reader.ts';
import { ValueKind } from './command.ts';
import { allocateEntry } from './frame.ts';
import { writeU48 } from './little-endian.ts';
import type { RespArgs } from './resp-parser.ts';

// As in command-codec.ts.
const VERSION_WITH_TIME = 2;
const CODE_SET = 1;
const HEADER_BYTES = 2 + 6 + 1;
/** Below this a loop beats a view of the bytes. */
const SHORT_COPY = 24;

/** `args` is a SET of a key and a value within their limits. `time`: of the proposer, milliseconds since 1970, not 0. */
export function encodeSet(args: RespArgs, time: number): Entry {
  const keyBytes = args.end(1) - args.start(1);
  const valueBytes = args.end(2) - args.start(2);
  const entry = allocateEntry(
    EntryKind.command,
    HEADER_BYTES + varintBytes(keyBytes) + keyBytes + varintBytes(valueBytes) + valueBytes,
  );
  const { bytes, dataStart } = entry;
  bytes[dataStart] = VERSION_WITH_TIME;
  bytes[dataStart + 1] = CODE_SET;
  writeU48(bytes, dataStart + 2, time);
  bytes[dataStart + 8] = ValueKind.bytes;
  const at = copy(bytes, writeVarint(bytes, dataStart + HEADER_BYTES, keyBytes), args, 1);
  copy(bytes, writeVarint(bytes, at, valueBytes), args, 2);
  return entry;
}

function copy(target: Uint8Array, offset: number, args: RespArgs, argument: number): number {
  const { source } = args;
  const start = args.start(argument);
  const end = args.end(argument);
  if (end - start > SHORT_COPY) target.set(source.subarray(start, end), offset);
  else for (let at = start; at < end; at++) target[offset + at - start] = source[at] as number;
  return offset + end - start;
}
