// How the messages of engine/raft/types.ts stand on a peer connection, and how they are written.
// Reading is peer-decoder.ts; the handshake before the first frame is peer-handshake.ts.
//
//   0  u32  CRC-32 of the bytes 4 to the end of the head (InstallSnapshot: to the end of the frame)
//   4  u32  length of the whole frame in bytes
//   8  u8   message code
//   9  u8   flags
//  10  u32  from
//  14  u32  to
//  18  u48  term
//  24       the message's own numbers, below; then what they announce
//
//   code  message                  flag 1            numbers (u48 unless said otherwise)
//    1    PreVote                  hasLostMemory     lastLogIndex, lastLogTerm
//    2    PreVoteResponse          voteGranted       none; then nothing, or a committed index (u48) and the
//                                                    configuration as of there (configuration-codec.ts)
//    3    RequestVote              transfer          lastLogIndex, lastLogTerm
//    4    RequestVoteResponse      voteGranted
//    5    AppendEntries                              prevLogIndex, prevLogTerm, leaderCommit, u32 count;
//                                                    then `count` entry frames (frame.ts), each with its own CRC
//    6    AppendEntriesResponse    success           matchIndex, prevLogIndex, conflictIndex, conflictTerm
//    7    Heartbeat                                  leaderCommit, readRound
//    8    HeartbeatResponse        promise           readRound
//    9    InstallSnapshot          done              lastIncludedIndex, lastIncludedTerm, offset, totalBytes,
//                                                    u16 voters, u16 outgoing, u16 learners, u32 data bytes;
//                                                    then the ids (u32 each), then the data
//   10    InstallSnapshotResponse  installed         lastIncludedIndex, offset
//   11    TimeoutNow
//   12    ReadIndex                                  requestId
//   13    ReadIndexResponse                          requestId, readIndex
//
// All little endian. Another flag, another length than the message has, an unknown code: the frame is refused.
import type { AppendEntries, InstallSnapshot, Message, PreVoteResponse } from '../raft/types.ts';
import { encodeConfiguration } from './configuration-codec.ts';
import { crc32 } from './crc32.ts';
import { appendFrames, FRAME_BYTES_MAX } from './frame.ts';
import { writeU16, writeU32, writeU48 } from './little-endian.ts';

export const PEER_PREFIX_BYTES = 24;
/** Largest frame, entries included: one entry of the largest size, and a batch before it. */
export const PEER_FRAME_BYTES_MAX = FRAME_BYTES_MAX + 32 * 1024 * 1024;
export const APPEND_HEAD_BYTES = PEER_PREFIX_BYTES + 22;
export const SNAPSHOT_HEAD_BYTES = PEER_PREFIX_BYTES + 34;

/** The numbers stand on the wire. */
export const MessageCode = {
  PreVote: 1,
  PreVoteResponse: 2,
  RequestVote: 3,
  RequestVoteResponse: 4,
  AppendEntries: 5,
  AppendEntriesResponse: 6,
  Heartbeat: 7,
  HeartbeatResponse: 8,
  InstallSnapshot: 9,
  InstallSnapshotResponse: 10,
  TimeoutNow: 11,
  ReadIndex: 12,
  ReadIndexResponse: 13,
} as const;

function head(message: Message, flag: boolean, bytes: number): Uint8Array {
  const frame = new Uint8Array(bytes);
  frame[8] = MessageCode[message.type];
  frame[9] = flag ? 1 : 0;
  writeU32(frame, 10, message.from);
  writeU32(frame, 14, message.to);
  writeU48(frame, 18, message.term);
  return frame;
}

/** Writes length and CRC; `tail` is further bytes of the frame that the CRC covers. */
function seal(frame: Uint8Array, length: number, tail: Uint8Array | null = null): void {
  if (length > PEER_FRAME_BYTES_MAX) throw new RangeError(`a peer frame of ${length} bytes`);
  writeU32(frame, 4, length);
  const sum = crc32(frame, 4);
  writeU32(frame, 0, tail === null ? sum : crc32(tail, 0, tail.length, sum));
}

/** A message of nothing but numbers. */
function plain(message: Message, flag: boolean, numbers: readonly number[]): Uint8Array {
  const frame = head(message, flag, PEER_PREFIX_BYTES + 6 * numbers.length);
  let at = PEER_PREFIX_BYTES;
  for (const number of numbers) {
    writeU48(frame, at, number);
    at += 6;
  }
  seal(frame, frame.length);
  return frame;
}

function preVoteResponse(message: PreVoteResponse): Uint8Array {
  const { committed, voteGranted } = message;
  if (committed === undefined) return plain(message, voteGranted, []);
  const configuration = encodeConfiguration(committed.configuration);
  const frame = head(message, voteGranted, PEER_PREFIX_BYTES + 6 + configuration.length);
  writeU48(frame, PEER_PREFIX_BYTES, committed.index);
  frame.set(configuration, PEER_PREFIX_BYTES + 6);
  seal(frame, frame.length);
  return frame;
}

function encodeAppendEntries(message: AppendEntries, chunks: Uint8Array[]): number {
  const frame = head(message, false, APPEND_HEAD_BYTES);
  writeU48(frame, 24, message.prevLogIndex);
  writeU48(frame, 30, message.prevLogTerm);
  writeU48(frame, 36, message.leaderCommit);
  writeU32(frame, 42, message.entries.length);
  chunks.push(frame);
  const length = APPEND_HEAD_BYTES + appendFrames(message.entries, chunks);
  seal(frame, length);
  return length;
}

function encodeInstallSnapshot(message: InstallSnapshot, chunks: Uint8Array[]): number {
  const { voters, votersOutgoing, learners } = message.configuration;
  const ids = [...voters, ...votersOutgoing, ...learners];
  const frame = head(message, message.done, SNAPSHOT_HEAD_BYTES + 4 * ids.length);
  writeU48(frame, 24, message.lastIncludedIndex);
  writeU48(frame, 30, message.lastIncludedTerm);
  writeU48(frame, 36, message.offset);
  writeU48(frame, 42, message.totalBytes);
  writeU16(frame, 48, voters.length);
  writeU16(frame, 50, votersOutgoing.length);
  writeU16(frame, 52, learners.length);
  writeU32(frame, 54, message.data.length);
  let at = SNAPSHOT_HEAD_BYTES;
  for (const id of ids) {
    writeU32(frame, at, id);
    at += 4;
  }
  const length = frame.length + message.data.length;
  seal(frame, length, message.data);
  chunks.push(frame);
  if (message.data.length > 0) chunks.push(message.data);
  return length;
}

function encodePlain(message: Exclude<Message, AppendEntries | InstallSnapshot>): Uint8Array {
  switch (message.type) {
    case 'PreVote':
      return plain(message, message.hasLostMemory === true, [message.lastLogIndex, message.lastLogTerm]);
    case 'PreVoteResponse':
      return preVoteResponse(message);
    case 'RequestVote':
      return plain(message, message.leadershipTransfer, [message.lastLogIndex, message.lastLogTerm]);
    case 'RequestVoteResponse':
      return plain(message, message.voteGranted, []);
    case 'AppendEntriesResponse': {
      const { matchIndex, prevLogIndex, conflictIndex, conflictTerm } = message;
      return plain(message, message.success, [matchIndex, prevLogIndex, conflictIndex, conflictTerm]);
    }
    case 'Heartbeat':
      return plain(message, false, [message.leaderCommit, message.readRound]);
    case 'HeartbeatResponse':
      return plain(message, message.promise === true, [message.readRound]);
    case 'InstallSnapshotResponse':
      return plain(message, message.installed, [message.lastIncludedIndex, message.offset]);
    case 'TimeoutNow':
      return plain(message, false, []);
    case 'ReadIndex':
      return plain(message, false, [message.requestId]);
    case 'ReadIndexResponse':
      return plain(message, false, [message.requestId, message.readIndex]);
  }
}

/**
 * Pushes the message's frame onto `chunks`, entries and snapshot data uncopied, and returns its bytes.
 * Throws RangeError for what has no encoding (a term past 48 bits, a frame past PEER_FRAME_BYTES_MAX):
 * programmer errors, since the core bounds its batches.
 */
export function encodeMessage(message: Message, chunks: Uint8Array[]): number {
  if (message.type === 'AppendEntries') return encodeAppendEntries(message, chunks);
  if (message.type === 'InstallSnapshot') return encodeInstallSnapshot(message, chunks);
  const frame = encodePlain(message);
  chunks.push(frame);
  return frame.length;
}
