// A CommandResult as bytes, for the sessions in a snapshot.
//
//   u8 code; u48 index; u48 term; then
//   set      u48 revision
//   delete   u8 existed, u48 revision
//   bulkSet  varint count, u48 revision
//   incr     value (varint length, digits), u48 revision
//   cas      u8 swapped, u8 has a current value [kind, value], u48 revision
//   failed   u8 outcome unknown, message (varint length, UTF-8)
import type { ByteReader } from '../protocol/byte-reader.ts';
import { byteStringFromText, textFromByteString } from '../protocol/byte-string.ts';
import type { ByteWriter } from '../protocol/byte-writer.ts';
import { type CommandResult, type StoredValue, ValueKind } from '../protocol/command.ts';

const Code = { set: 1, delete: 2, bulkSet: 3, incr: 4, cas: 5, failed: 6 } as const;

export function writeResult(writer: ByteWriter, result: CommandResult): void {
  writer.u8(Code[result.type]);
  writer.u48(result.index);
  writer.u48(result.term);
  switch (result.type) {
    case 'set':
      break;
    case 'delete':
      writer.u8(result.existed ? 1 : 0);
      break;
    case 'bulkSet':
      writer.varint(result.count);
      break;
    case 'incr':
      writer.lengthAndByteString(result.value);
      break;
    case 'cas':
      writer.u8(result.swapped ? 1 : 0);
      writer.u8(result.current === null ? 0 : 1);
      if (result.current !== null) {
        writer.u8(result.current.kind);
        writer.lengthAndByteString(result.current.value);
      }
      break;
    case 'failed':
      writer.u8(result.outcome === 'unknown' ? 1 : 0);
      writer.lengthAndByteString(byteStringFromText(result.message));
      return;
  }
  writer.u48(result.revision);
}

export function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8();
  return flag > 1 ? reader.fail(`a flag of ${flag}`) : flag === 1;
}

export function readKind(reader: ByteReader): ValueKind {
  const kind = reader.u8();
  if (kind === ValueKind.bytes || kind === ValueKind.json) return kind;
  return reader.fail(`unknown kind of value ${kind}`);
}

function readCurrent(reader: ByteReader): StoredValue | null {
  if (!readFlag(reader)) return null;
  const kind = readKind(reader);
  return { value: reader.lengthAndByteString(), kind };
}

/** Throws DecodeError for what writeResult did not write. */
export function readResult(reader: ByteReader): CommandResult {
  const code = reader.u8();
  const at = { index: reader.u48(), term: reader.u48() };
  switch (code) {
    case Code.set:
      return { type: 'set', ...at, revision: reader.u48() };
    case Code.delete:
      return { type: 'delete', ...at, existed: readFlag(reader), revision: reader.u48() };
    case Code.bulkSet:
      return { type: 'bulkSet', ...at, count: reader.varint(), revision: reader.u48() };
    case Code.incr:
      return { type: 'incr', ...at, value: reader.lengthAndByteString(), revision: reader.u48() };
    case Code.cas: {
      const swapped = readFlag(reader);
      return { type: 'cas', ...at, swapped, current: readCurrent(reader), revision: reader.u48() };
    }
    case Code.failed: {
      const outcome = readFlag(reader) ? { outcome: 'unknown' as const } : {};
      const message = textFromByteString(reader.lengthAndByteString());
      if (message === null) return reader.fail('a message that is not UTF-8');
      return { type: 'failed', ...at, code: 'INVALID_ARGUMENT', message, ...outcome };
    }
    default:
      return reader.fail(`unknown result code ${code}`);
  }
}
