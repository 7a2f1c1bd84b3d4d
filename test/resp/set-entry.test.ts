// The quick way of SET writes what the slow way writes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ValueKind } from '../../engine/protocol/command.ts';
import { encodeProposal } from '../../engine/protocol/command-codec.ts';
import { bulks } from '../../engine/protocol/resp-encode.ts';
import { RespParser } from '../../engine/protocol/resp-parser.ts';
import { encodeSet } from '../../engine/protocol/resp-set-entry.ts';
import { property } from '../protocol/property.ts';

const byteString = fc
  .uint8Array({ maxLength: 300, size: 'max' })
  .map((bytes) => bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));

test('encodeSet is encodeProposal of the same command, byte for byte', () => {
  property(
    fc.tuple(byteString, byteString, fc.integer({ min: 1, max: 2 ** 48 - 1 })),
    ([key, value, time]) => {
      const parser = new RespParser();
      parser.feed(Uint8Array.from(bulks(['SET', key, value]), (character) => character.charCodeAt(0)));
      expect(parser.next()).toBe(true);
      const command = { type: 'set' as const, key, value, kind: ValueKind.bytes };
      const entry = encodeSet(parser, time);
      expect([...entry.data]).toEqual([...encodeProposal({ command, session: null }, time).data]);
    },
    { runs: 300 },
  );
});
