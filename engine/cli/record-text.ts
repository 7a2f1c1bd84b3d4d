// A record of a log's file as a line of text and as a line of JSON, for `wal dump` and `wal verify`.
import pc from 'picocolors';
import { decodeProposal } from '../protocol/command-codec.ts';
import { DecodeError } from '../protocol/decode-error.ts';
import { hexView, type InspectedRecord } from '../storage/log-inspect.ts';
import { commandMembers, describeCommand, uuidOf } from './command-text.ts';

type Kind = InspectedRecord['kind'];
type RecordOf<K extends Kind> = Extract<InspectedRecord, { kind: K }>;

/** A bad region may be a whole segment; this much of it goes into a line of JSON. */
const HEX_BYTES_MAX = 4096;
const OFFSET_WIDTH = 10;
const GIVEN_UP = ' [given up by a recovery]';

/** One line, or for a bad record several: offset in the file, then what stands there. */
export function recordLines(record: InspectedRecord): string[] {
  const offset = String(record.offsetBytes).padStart(OFFSET_WIDTH);
  const line = `${offset}  ${describeRecord(record)}${record.givenUp && record.kind !== 'blank' ? GIVEN_UP : ''}`;
  if (record.kind !== 'bad') return [record.kind === 'entry' && !record.givenUp ? line : pc.dim(line)];
  const hex = hexView(record.bytes, record.offsetBytes);
  return [
    record.givenUp ? pc.dim(line) : pc.red(line),
    ...hex.map((row) => `${' '.repeat(OFFSET_WIDTH + 2)}${row}`),
  ];
}

function describeRecord(record: InspectedRecord): string {
  switch (record.kind) {
    case 'segmentHeader': {
      const { sequence, previousSequence, previousEndBytes, baseIndex } = record;
      const from =
        previousSequence === 0
          ? 'begins the log'
          : `continues segment ${previousSequence} at ${previousEndBytes}`;
      return `segment ${sequence}: ${from}, after entry ${baseIndex}`;
    }
    case 'batch': {
      const { batchSequence, batchBytes, hardState, refetchIndex } = record;
      const { currentTerm, votedFor, commitIndex } = hardState;
      const vote = votedFor === 0 ? 'no vote' : `voted for n${votedFor}`;
      const refetch = refetchIndex === 0 ? '' : `, refetching up to ${refetchIndex}`;
      return `batch ${batchSequence}, ${batchBytes} bytes: term ${currentTerm}, ${vote}, commit ${commitIndex}${refetch}`;
    }
    case 'entry':
      return `entry ${record.index}, term ${record.term}: ${describeEntry(record)}`;
    case 'bad':
      return `BAD, ${record.lengthBytes} bytes from 0x${record.offsetBytes.toString(16)}: ${record.reason}`;
    case 'blank':
      return `zeros to the end, ${record.lengthBytes} bytes`;
  }
}

function describeEntry({ entryKind, data }: RecordOf<'entry'>): string {
  if (entryKind === 'noop') return 'no-op of a new leader';
  if (entryKind === 'configuration') return `configuration, ${data.length} bytes`;
  try {
    const { command, session } = decodeProposal(data);
    const by = session === null ? '' : ` · client ${uuidOf(session.client)} seq ${session.sequence}`;
    return `${describeCommand(command)}${by}`;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return `a command of ${data.length} bytes that this version cannot read (${error.message})`;
  }
}

/** The members of a line of JSON. Sizes and offsets are in bytes. */
export function recordMembers(record: InspectedRecord): Record<string, unknown> {
  const { kind, file, offsetBytes, lengthBytes } = record;
  return {
    record: kind,
    file,
    offsetBytes,
    lengthBytes,
    ...ownMembers(record),
    ...(record.givenUp ? { givenUp: true } : {}),
  };
}

function ownMembers(record: InspectedRecord): Record<string, unknown> {
  switch (record.kind) {
    case 'segmentHeader': {
      const { sequence, previousSequence, previousEndBytes, baseIndex } = record;
      return { sequence, previousSequence, previousEndBytes, baseIndex };
    }
    case 'batch': {
      const { batchSequence, batchBytes, hardState, refetchIndex } = record;
      return { batchSequence, batchBytes, ...hardState, refetchIndex };
    }
    case 'entry':
      return { index: record.index, term: record.term, kind: record.entryKind, ...entryMembers(record) };
    case 'bad':
      return badMembers(record);
    case 'blank':
      return {};
  }
}

export function badMembers({ reason, bytes }: RecordOf<'bad'>): { reason: string; hex: string } {
  return { reason, hex: Buffer.from(bytes.subarray(0, HEX_BYTES_MAX)).toString('hex') };
}

function entryMembers({ entryKind, data }: RecordOf<'entry'>): Record<string, unknown> {
  if (entryKind === 'noop') return {};
  if (entryKind === 'configuration') return { hex: Buffer.from(data).toString('hex') };
  try {
    const { command, session } = decodeProposal(data);
    const by = session === null ? {} : { client: uuidOf(session.client), seq: session.sequence };
    return { command: commandMembers(command), ...by };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { unreadable: error.message, hex: Buffer.from(data.subarray(0, HEX_BYTES_MAX)).toString('hex') };
  }
}
