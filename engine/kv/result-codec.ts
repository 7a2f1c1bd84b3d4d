// A CommandResult as bytes, for the sessions in a snapshot: u8 code, u48 index, u48 term, then the fields in the
// order given here. Codes and orders stand in snapshots and never change; see operation-codec.ts for the fields.
import type { ByteReader } from '../protocol/byte-reader.ts';
import { byteStringFromText, textFromByteString } from '../protocol/byte-string.ts';
import type { ByteWriter } from '../protocol/byte-writer.ts';
import type { CommandResult, FailedResult, OperationResult } from '../protocol/command.ts';
import {
  byteString,
  choice,
  type FieldCodec,
  fields,
  flag,
  list,
  optional,
  stored,
  u48,
  union,
  varint,
} from '../protocol/field-codec.ts';

const text: FieldCodec<string> = {
  bytes: (value) => byteString.bytes(byteStringFromText(value)),
  write: (bytes, offset, value) => byteString.write(bytes, offset, byteStringFromText(value)),
  read: (reader) => textFromByteString(byteString.read(reader)) ?? reader.fail('a message that is not UTF-8'),
};

/** Two codes: entries that made no sense at all need no more than version 1 had. */
const FAILED = 6;
const FAILED_OPERATION = 7;
const TRANSACTION = 19;

type Succeeded = Exclude<OperationResult, FailedResult>;

const succeeded = union<Succeeded>('a result', {
  set: { code: 1, layout: { revision: u48 } },
  delete: { code: 2, layout: { existed: flag, revision: u48 } },
  bulkSet: { code: 3, layout: { count: varint, revision: u48 } },
  incr: { code: 4, layout: { value: byteString, revision: u48 } },
  cas: { code: 5, layout: { swapped: flag, current: optional(stored), revision: u48 } },
  setWith: { code: 8, layout: { written: flag, previous: optional(stored), revision: u48 } },
  incrByFloat: { code: 9, layout: { value: byteString, revision: u48 } },
  length: { code: 10, layout: { length: varint, revision: u48 } },
  value: { code: 11, layout: { value: optional(stored), revision: u48 } },
  values: { code: 12, layout: { values: list(optional(stored), 1), revision: u48 } },
  changed: { code: 13, layout: { changed: flag, revision: u48 } },
  count: { code: 14, layout: { count: varint, revision: u48 } },
  expiry: { code: 15, layout: { exists: flag, expiresAt: optional(u48), time: u48, revision: u48 } },
  keys: { code: 16, layout: { keys: list(byteString, 1), next: optional(byteString), revision: u48 } },
});

const failedEntry = fields<{ unknown: boolean; message: string }>({ unknown: flag, message: text });

/** A new reason goes to the end. */
const reason = choice([
  'notInteger',
  'incrementNotInteger',
  'overflow',
  'notFloat',
  'incrementNotFloat',
  'notFinite',
  'tooLong',
  'noSuchKey',
]);

const failedOperation = fields<
  Required<Pick<FailedResult, 'reason' | 'message'>> & { operation: number | null }
>({ reason, message: text, operation: optional(varint) });

function codeOf(value: OperationResult): number {
  if (value.type !== 'failed') return succeeded.codeOf(value);
  return value.reason === undefined ? FAILED : FAILED_OPERATION;
}

/** What stands behind the code. */
const outcome = {
  bytes(value: OperationResult): number {
    if (value.type !== 'failed') return succeeded.fieldBytes(value);
    if (value.reason === undefined) return failedEntry.bytes(entryFailure(value));
    return failedOperation.bytes(operationFailure(value, value.reason));
  },
  write(bytes: Uint8Array, offset: number, value: OperationResult): number {
    if (value.type !== 'failed') return succeeded.writeFields(bytes, offset, value);
    if (value.reason === undefined) return failedEntry.write(bytes, offset, entryFailure(value));
    return failedOperation.write(bytes, offset, operationFailure(value, value.reason));
  },
};

const result: FieldCodec<OperationResult> = {
  bytes: (value) => 1 + outcome.bytes(value),
  write(bytes, offset, value) {
    bytes[offset] = codeOf(value);
    return outcome.write(bytes, offset + 1, value);
  },
  read: (reader) => readOutcome(reader, reader.u8()),
};

const results = list(result, 1);

function entryFailure({ outcome, message }: FailedResult) {
  return { unknown: outcome === 'unknown', message };
}

function operationFailure({ message, operation }: FailedResult, why: NonNullable<FailedResult['reason']>) {
  return { reason: why, message, operation: operation ?? null };
}

function readOutcome(reader: ByteReader, code: number): OperationResult {
  if (code === FAILED) {
    const { unknown, message } = failedEntry.read(reader);
    const doubt = unknown ? { outcome: 'unknown' as const } : {};
    return { type: 'failed', code: 'INVALID_ARGUMENT', message, ...doubt };
  }
  if (code === FAILED_OPERATION) {
    const { operation, ...failure } = failedOperation.read(reader);
    const where = operation === null ? {} : { operation };
    return { type: 'failed', code: 'INVALID_ARGUMENT', ...failure, ...where };
  }
  return succeeded.readFields(reader, code);
}

const transaction = fields<{ succeeded: boolean; results: readonly OperationResult[]; revision: number }>({
  succeeded: flag,
  results,
  revision: u48,
});

export function writeResult(writer: ByteWriter, value: CommandResult): void {
  writer.u8(value.type === 'txn' ? TRANSACTION : codeOf(value));
  writer.u48(value.index);
  writer.u48(value.term);
  if (value.type === 'txn') writer.field(transaction, value);
  else writer.field(outcome, value);
}

/** Throws DecodeError for what writeResult did not write. */
export function readResult(reader: ByteReader): CommandResult {
  const code = reader.u8();
  const at = { index: reader.u48(), term: reader.u48() };
  if (code === TRANSACTION) return { ...at, type: 'txn', ...transaction.read(reader) };
  return { ...at, ...readOutcome(reader, code) };
}
