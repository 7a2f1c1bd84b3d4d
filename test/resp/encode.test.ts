// Replies in both versions, and replies read back as whole ones from any split of their bytes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as resp from '../../engine/protocol/resp-encode.ts';
import { elementsOf, RespReplyReader } from '../../engine/protocol/resp-reply-reader.ts';
import { property } from '../protocol/property.ts';

describe('encoding', () => {
  test.each([
    [resp.simple('OK'), '+OK\r\n'],
    [resp.error('ERR no\r\nline\nends'), '-ERR no  line ends\r\n'],
    [resp.integer(5), ':5\r\n'],
    [resp.integer(-1), ':-1\r\n'],
    [resp.integer('9223372036854775807'), ':9223372036854775807\r\n'],
    [resp.bulk('a\r\nb'), '$4\r\na\r\nb\r\n'],
    [resp.bulks(['a', '']), '*2\r\n$1\r\na\r\n$0\r\n\r\n'],
  ])('%j', (encoded, expected) => expect(encoded).toBe(expected));

  test.each([
    [resp.nullBulk, '$-1\r\n', '_\r\n'],
    [resp.nullArray, '*-1\r\n', '_\r\n'],
    [(version: resp.RespVersion) => resp.boolean(true, version), ':1\r\n', '#t\r\n'],
    [(version: resp.RespVersion) => resp.boolean(false, version), ':0\r\n', '#f\r\n'],
    [(version: resp.RespVersion) => resp.double(1.5, version), '$3\r\n1.5\r\n', ',1.5\r\n'],
    [(version: resp.RespVersion) => resp.double(-Infinity, version), '$4\r\n-inf\r\n', ',-inf\r\n'],
    [(version: resp.RespVersion) => resp.double(Number.NaN, version), '$3\r\nnan\r\n', ',nan\r\n'],
    [
      (version: resp.RespVersion) => resp.bigNumber(2n ** 64n, version),
      '$20\r\n18446744073709551616\r\n',
      '(18446744073709551616\r\n',
    ],
    [(version: resp.RespVersion) => resp.verbatim('txt', 'hi', version), '$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n'],
    [(version: resp.RespVersion) => resp.set([resp.integer(1)], version), '*1\r\n:1\r\n', '~1\r\n:1\r\n'],
    [(version: resp.RespVersion) => resp.push([resp.integer(1)], version), '*1\r\n:1\r\n', '>1\r\n:1\r\n'],
    [
      (version: resp.RespVersion) => resp.map([[resp.bulk('k'), resp.integer(1)]], version),
      '*2\r\n$1\r\nk\r\n:1\r\n',
      '%1\r\n$1\r\nk\r\n:1\r\n',
    ],
  ] as const)('%#: what version 2 lacks is written as Redis writes it there', (encode, two, three) => {
    expect(encode(2)).toBe(two);
    expect(encode(3)).toBe(three);
  });
});

const leaf = fc.oneof(
  fc.constantFrom('_\r\n', '$-1\r\n', '*-1\r\n', '#t\r\n', ',1.5\r\n', '(123\r\n', '=5\r\ntxt:\n\r\n'),
  fc.integer().map(resp.integer),
  fc.constantFrom('OK', '').map(resp.simple),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => resp.bulk(String.fromCharCode(...bytes))),
);
const { reply } = fc.letrec<{ reply: string }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('reply'), { maxLength: 4 }).map(resp.array),
    fc.array(tie('reply'), { maxLength: 3 }).map((items) => resp.push(items, 3)),
    fc.array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 }).map((pairs) => resp.map(pairs, 3)),
    tie('reply').map((value) => `|1\r\n+ttl\r\n:1\r\n${value}`),
  ),
}));

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

describe('reading replies', () => {
  test('any split of any replies gives the same replies', () => {
    property(
      fc.tuple(fc.array(reply, { maxLength: 6 }), fc.integer({ min: 1, max: 20 })),
      ([replies, piece]) => {
        const reader = new RespReplyReader(1024 * 1024);
        const bytes = bytesOf(replies.join(''));
        const read: string[] = [];
        for (let at = 0; at < bytes.length; at += piece) {
          reader.feed(bytes.slice(at, at + piece));
          for (let next = reader.next(); next !== null; next = reader.next()) read.push(next);
        }
        expect(read).toEqual(replies);
        expect(reader.broken).toBe(false);
      },
      { runs: 500 },
    );
  });

  test('an array is cut into its elements', () => {
    property(fc.array(reply, { maxLength: 6 }), (items) => {
      expect(elementsOf(resp.array(items))).toEqual(items);
    });
    expect(elementsOf('$-1\r\n')).toBeNull();
    expect(elementsOf('-ERR x\r\n')).toBeNull();
  });

  test('nonsense breaks the stream, and never throws', () => {
    property(
      fc.uint8Array({ maxLength: 60 }),
      (bytes) => {
        const reader = new RespReplyReader(1000);
        reader.feed(bytes);
        for (let next = reader.next(); next !== null; next = reader.next())
          expect(next.length).toBeGreaterThan(0);
      },
      { runs: 500 },
    );
    const reader = new RespReplyReader(1000);
    reader.feed(bytesOf('hello\r\n'));
    expect([reader.next(), reader.broken]).toEqual([null, true]);
  });

  test('a reply over its limit breaks the stream', () => {
    const reader = new RespReplyReader(1000);
    reader.feed(bytesOf('$5000\r\n'));
    reader.next();
    reader.feed(new Uint8Array(1000));
    expect(reader.broken).toBe(true);
  });
});
