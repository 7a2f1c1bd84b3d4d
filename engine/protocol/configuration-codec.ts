// The data of a configuration entry: who is a member, in which part, and where. The same bytes stand in the log,
// on the wire, and in the header of a snapshot.
//
//   0  u8   format version, 2 where ids of former members follow, else 1
//   1       three lists of ids (voters, outgoing voters, learners): varint count, then a u32 each, rising
//   …       varint count of addresses; for each: u32 id, rising; client and peer, each a varint length and as many
//           bytes of printable ASCII, `host:port`
//   …       version 2: ids of former members, a list as those above, not empty
//
// Varints are LEB128 in their shortest form. Nothing follows. One configuration has exactly one encoding.
import type { Configuration, ConfigurationCodec, MemberAddress, NodeId } from '../raft/types.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { DecodeError } from './decode-error.ts';

const VERSION = 1;
const VERSION_WITH_FORMER = 2;
const ADDRESS_BYTES_MAX = 300;
const PRINTABLE = /^[\x21-\x7e]*$/;

/** Throws RangeError for ids or addresses that have no encoding: programmer errors, the edges refuse them. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const { voters, votersOutgoing, learners, addresses = [], former = [] } = configuration;
  const writer = new ByteWriter(64);
  writer.u8(former.length > 0 ? VERSION_WITH_FORMER : VERSION);
  for (const ids of [voters, votersOutgoing, learners]) writeIds(writer, ids);
  writer.varint(addresses.length);
  for (const address of [...addresses].sort((a, b) => a.id - b.id)) {
    writer.u32(address.id);
    writeAddress(writer, address.client);
    writeAddress(writer, address.peer);
  }
  if (former.length > 0) writeIds(writer, former);
  return writer.take();
}

function writeIds(writer: ByteWriter, ids: readonly NodeId[]): void {
  writer.varint(ids.length);
  for (const id of rising(ids)) writer.u32(id);
}

function rising(ids: readonly NodeId[]): NodeId[] {
  return [...ids].sort((a, b) => a - b);
}

function writeAddress(writer: ByteWriter, address: string): void {
  if (address.length > ADDRESS_BYTES_MAX || !PRINTABLE.test(address)) {
    throw new RangeError(`an address that has no encoding: ${JSON.stringify(address.slice(0, 80))}`);
  }
  writer.lengthAndByteString(address);
}

/** Throws DecodeError. Keeps no view of the bytes. */
export function decodeConfiguration(data: Uint8Array): Configuration {
  const reader = new ByteReader(data);
  const version = reader.u8();
  const hasFormer = version === VERSION_WITH_FORMER;
  if (version !== VERSION && !hasFormer) reader.fail(`version ${version} of the configuration format`);
  const voters = readIds(reader);
  const votersOutgoing = readIds(reader);
  const learners = readIds(reader);
  const addresses: MemberAddress[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const id = readId(reader, addresses[addresses.length - 1]?.id ?? 0);
    addresses.push({ id, client: readAddress(reader), peer: readAddress(reader) });
  }
  const former = hasFormer ? readIds(reader) : [];
  if (hasFormer && former.length === 0) reader.fail('a list of former members that is empty');
  reader.finish();
  return {
    voters,
    votersOutgoing,
    learners,
    ...(addresses.length > 0 && { addresses }),
    ...(former.length > 0 && { former }),
  };
}

function readIds(reader: ByteReader): NodeId[] {
  const ids: NodeId[] = [];
  for (let left = reader.varint(); left > 0; left--) ids.push(readId(reader, ids[ids.length - 1] ?? 0));
  return ids;
}

function readId(reader: ByteReader, before: NodeId): NodeId {
  const id = reader.u32();
  return id > before ? id : reader.fail('ids that do not rise');
}

function readAddress(reader: ByteReader): string {
  const length = reader.varint();
  if (length > ADDRESS_BYTES_MAX) reader.fail(`an address of ${length} bytes`);
  const address = reader.byteString(length);
  return PRINTABLE.test(address) ? address : reader.fail('an address that is not printable');
}

/** What the core is given. */
export const configurationCodec: ConfigurationCodec = {
  encode: encodeConfiguration,
  decode(data) {
    try {
      return decodeConfiguration(data);
    } catch (error) {
      if (error instanceof DecodeError) return null;
      throw error;
    }
  },
};
