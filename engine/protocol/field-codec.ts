// Codecs put together from those of their parts: one description gives size, writer and reader of a value. For
// commands and results off the hot path; the hot ones are written out by hand.
import { type ByteReader, varintBytes, writeVarint } from './byte-reader.ts';
import { writeByteString } from './byte-string.ts';
import { type ByteString, type KeyValue, type StoredValue, ValueKind } from './command.ts';
import { readU53, writeU48, writeU53 } from './little-endian.ts';

/** One value has one encoding; `read` throws DecodeError for anything else. */
export interface FieldCodec<Value> {
  bytes(value: Value): number;
  /** Returns the offset behind it. */
  write(bytes: Uint8Array, offset: number, value: Value): number;
  read(reader: ByteReader): Value;
}

/** A codec for each field, in the order in which they stand. */
export type Layout<Shape> = { readonly [Name in keyof Shape]-?: FieldCodec<Shape[Name]> };

export const flag: FieldCodec<boolean> = {
  bytes: () => 1,
  write(bytes, offset, value) {
    bytes[offset] = value ? 1 : 0;
    return offset + 1;
  },
  read(reader) {
    const byte = reader.u8();
    return byte > 1 ? reader.fail(`a flag of ${byte}`) : byte === 1;
  },
};

/** One of few words, as its place in the list. Lists only grow at their end. */
export function choice<Word extends string>(words: readonly Word[]): FieldCodec<Word> {
  return {
    bytes: () => 1,
    write(bytes, offset, value) {
      bytes[offset] = words.indexOf(value);
      return offset + 1;
    },
    read(reader) {
      const byte = reader.u8();
      return words[byte] ?? reader.fail(`${byte} is none of ${words.length} choices`);
    },
  };
}

/** Below 2^32. */
export const varint: FieldCodec<number> = {
  bytes: varintBytes,
  write: writeVarint,
  read: (reader) => reader.varint(),
};

export const u48: FieldCodec<number> = {
  bytes: () => 6,
  write(bytes, offset, value) {
    writeU48(bytes, offset, value);
    return offset + 6;
  },
  read: (reader) => reader.u48(),
};

/** A safe integer: its size, and whether it is below zero. */
export const signed: FieldCodec<number> = {
  bytes: () => 9,
  write(bytes, offset, value) {
    bytes[offset] = value < 0 ? 1 : 0;
    writeU53(bytes, offset + 1, Math.abs(value));
    return offset + 9;
  },
  read(reader) {
    const negative = flag.read(reader);
    const size = readU53(reader.bytes, reader.skip(8));
    if (!Number.isSafeInteger(size) || (negative && size === 0)) reader.fail('no safe integer');
    return negative ? -size : size;
  },
};

export const byteString: FieldCodec<ByteString> = {
  bytes: (value) => varintBytes(value.length) + value.length,
  write: (bytes, offset, value) => writeByteString(bytes, writeVarint(bytes, offset, value.length), value),
  read: (reader) => reader.lengthAndByteString(),
};

export const kind: FieldCodec<ValueKind> = {
  bytes: () => 1,
  write(bytes, offset, value) {
    bytes[offset] = value;
    return offset + 1;
  },
  read(reader) {
    const byte = reader.u8();
    if (byte === ValueKind.bytes || byte === ValueKind.json) return byte;
    return reader.fail(`unknown kind of value ${byte}`);
  },
};

export function optional<Value>(codec: FieldCodec<Value>): FieldCodec<Value | null> {
  return {
    bytes: (value) => (value === null ? 1 : 1 + codec.bytes(value)),
    write(bytes, offset, value) {
      const at = flag.write(bytes, offset, value !== null);
      return value === null ? at : codec.write(bytes, at, value);
    },
    read: (reader) => (flag.read(reader) ? codec.read(reader) : null),
  };
}

/** `bytesMin`: the least that an item takes, so that no count makes a reader allocate more than there is. */
export function list<Value>(codec: FieldCodec<Value>, bytesMin: number): FieldCodec<readonly Value[]> {
  return {
    bytes(values) {
      let bytes = varintBytes(values.length);
      for (const value of values) bytes += codec.bytes(value);
      return bytes;
    },
    write(bytes, offset, values) {
      let at = writeVarint(bytes, offset, values.length);
      for (const value of values) at = codec.write(bytes, at, value);
      return at;
    },
    read(reader) {
      const count = reader.varint();
      if (count * bytesMin > reader.left) reader.fail(`${count} items in ${reader.left} bytes`);
      const values: Value[] = [];
      for (let at = 0; at < count; at++) values.push(codec.read(reader));
      return values;
    },
  };
}

/** The fields of an object, one behind the other. */
export function fields<Shape extends object>(layout: Layout<Shape>): FieldCodec<Shape> {
  // What the mapped type says of each field is lost on a walk over all of them.
  const entries = Object.entries(layout) as [keyof Shape, FieldCodec<unknown>][];
  return {
    bytes(value) {
      let bytes = 0;
      for (const [name, codec] of entries) bytes += codec.bytes(value[name]);
      return bytes;
    },
    write(bytes, offset, value) {
      let at = offset;
      for (const [name, codec] of entries) at = codec.write(bytes, at, value[name]);
      return at;
    },
    read(reader) {
      const value: Partial<Record<keyof Shape, unknown>> = {};
      for (const [name, codec] of entries) value[name] = codec.read(reader);
      return value as Shape;
    },
  };
}

type Tagged = { type: string };
type FieldsOf<Union extends Tagged, Type extends Union['type']> = Omit<
  Extract<Union, { type: Type }>,
  'type'
>;

/** What a union's members are made of: a code that never changes, and the fields behind it. */
export type Alternatives<Union extends Tagged> = {
  readonly [Type in Union['type']]: { code: number; layout: Layout<FieldsOf<Union, Type>> };
};

/** Values told apart by `type`: a code of one byte, then the fields. */
export function union<Union extends Tagged>(what: string, alternatives: Alternatives<Union>) {
  const byType = new Map<string, { code: number; codec: FieldCodec<object> }>();
  const byCode = new Map<number, { type: string; codec: FieldCodec<object> }>();
  for (const [type, { code, layout }] of Object.entries<{ code: number; layout: object }>(alternatives)) {
    const codec = fields(layout as Layout<object>);
    byType.set(type, { code, codec });
    byCode.set(code, { type, codec });
  }
  const entryOf = (value: Union) => {
    const entry = byType.get(value.type);
    if (entry === undefined) throw new RangeError(`no encoding of ${what} ${value.type}`);
    return entry;
  };
  return {
    codeOf: (value: Union): number => entryOf(value).code,
    /** The fields alone. */
    fieldBytes: (value: Union): number => entryOf(value).codec.bytes(value),
    writeFields: (bytes: Uint8Array, offset: number, value: Union): number =>
      entryOf(value).codec.write(bytes, offset, value),
    readFields(reader: ByteReader, code: number): Union {
      const entry = byCode.get(code) ?? reader.fail(`unknown code ${code} of ${what}`);
      return { type: entry.type, ...entry.codec.read(reader) } as Union;
    },
  };
}

export const stored: FieldCodec<StoredValue> = fields<StoredValue>({ kind, value: byteString });
export const keyValue: FieldCodec<KeyValue> = fields<KeyValue>({ kind, key: byteString, value: byteString });
