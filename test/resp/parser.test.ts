// Requests out of bytes: any split gives the same commands, garbage never throws, limits and texts are Redis's.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bulks } from '../../engine/protocol/resp-encode.ts';
import { type RespLimits, RespParser } from '../../engine/protocol/resp-parser.ts';
import { property } from '../protocol/property.ts';

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

interface Parsed {
  commands: string[][];
  error: string | null;
}

/** Feeds the pieces one after the other; the pieces are overwritten afterwards, as a socket's buffer may be. */
function parse(pieces: readonly Uint8Array[], limits?: RespLimits): Parsed {
  const parser = new RespParser(limits);
  const commands: string[][] = [];
  for (const piece of pieces) {
    const lent = piece.slice();
    parser.feed(lent);
    while (parser.next()) commands.push(Array.from({ length: parser.argc }, (_, at) => parser.text(at)));
    lent.fill(0x21);
  }
  return { commands, error: parser.error };
}

function parseText(text: string, limits?: RespLimits): Parsed {
  return parse([bytesOf(text)], limits);
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}

const byteString = fc.uint8Array({ maxLength: 40 }).map((bytes) => String.fromCharCode(...bytes));
const argv = fc.array(byteString, { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.nat(10_000), { maxLength: 12 });

describe('arrays of bulk strings', () => {
  test('any split of any pipeline gives the same commands', () => {
    property(
      fc.tuple(fc.array(argv, { maxLength: 8 }), cuts),
      ([commands, at]) => {
        const bytes = bytesOf(commands.map(bulks).join(''));
        expect(parse(split(bytes, at))).toEqual({ commands, error: null });
      },
      { runs: 500 },
    );
  });

  test('byte by byte, inline commands among them', () => {
    const text = 'PING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n  set k "a b"\n*0\r\n*-1\r\n\r\n*1\r\n$4\r\nQUIT\r\n';
    const expected = { commands: [['PING'], ['GET', 'a'], ['set', 'k', 'a b'], ['QUIT']], error: null };
    expect(parseText(text)).toEqual(expected);
    expect(parse([...bytesOf(text)].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test('a large value in small pieces is copied a few times, not once a piece', () => {
    const value = 'x'.repeat(4 * 1024 * 1024);
    const bytes = bytesOf(bulks(['SET', 'k', value]));
    const parser = new RespParser();
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 1000) pieces.push(bytes.subarray(at, at + 1000));
    let commands = 0;
    for (const piece of pieces) {
      parser.feed(piece);
      while (parser.next()) {
        commands++;
        expect(parser.end(2) - parser.start(2)).toBe(value.length);
      }
    }
    expect(commands).toBe(1);
    expect(parser.bufferedBytes).toBe(0);
  });

  test('stopping in the middle loses nothing, more may come meanwhile', () => {
    const parser = new RespParser();
    parser.feed(bytesOf(bulks(['A', '1']) + bulks(['B', '2']) + bulks(['C', '3']).slice(0, 5)));
    expect(parser.next() && parser.text(0)).toBe('A');
    parser.feed(bytesOf(bulks(['C', '3']).slice(5)));
    expect(parser.next() && parser.text(1)).toBe('2');
    expect(parser.next() && parser.text(1)).toBe('3');
    expect(parser.next()).toBe(false);
  });

  test.each([
    ['*3\r\n$3\r\nSET\r\n:1\r\n', "Protocol error: expected '$', got ':'"],
    ['*1\r\n$x\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$-1\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$01\r\na\r\n', 'Protocol error: invalid bulk length'],
    ['*1048577\r\n', 'Protocol error: invalid multibulk length'],
    ['*abc\r\n', 'Protocol error: invalid multibulk length'],
    ['*+1\r\n', 'Protocol error: invalid multibulk length'],
    ['*99999999999999999999\r\n', 'Protocol error: invalid multibulk length'],
    [`*${'1'.repeat(65_537)}`, 'Protocol error: too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(65_537)}`, 'Protocol error: too big bulk count string'],
    ['x'.repeat(65_537), 'Protocol error: too big inline request'],
    ['set "a\r\n', 'Protocol error: unbalanced quotes in request'],
    ['set "a"b\r\n', 'Protocol error: unbalanced quotes in request'],
  ])('%j is refused in the words of Redis, in one piece or many', (text, error) => {
    const shown = text.length > 100 ? text.length : text;
    expect(parseText(text).error, `${shown}`).toBe(error);
    expect(parse(split(bytesOf(text), [1, 3, 4, 7, 40_000])).error).toBe(error);
  });

  test('what comes before the fault is still a command', () => {
    expect(parseText('*1\r\n$4\r\nPING\r\n*1\r\nx')).toEqual({
      commands: [['PING']],
      error: "Protocol error: expected '$', got 'x'",
    });
  });

  test('a request over its limit is refused before its bytes come, or once there are too many', () => {
    const limits = { elementsMax: 1000, requestBytesMax: 1000 };
    expect(parseText('*1\r\n$1001\r\n', limits).error).toContain('setting lineBytesMax');
    expect(parseText('*1\r\n$900\r\n', limits).error).toBeNull();
    expect(parseText(`*900\r\n${'$1\r\na\r\n'.repeat(300)}`, limits).error).toContain('setting lineBytesMax');
  });
});

describe('garbage', () => {
  test('never throws, whatever it is and however it is cut', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc
        .constantFrom('*', '$', '\r\n', '*2\r\n', '$3\r\n', '-1', '"', "'", '\\x4', ' ', 'GET', '\0')
        .map(bytesOf),
    );
    property(
      fc.tuple(fc.array(piece, { maxLength: 30 }), cuts),
      ([pieces, at]) => {
        const bytes = Uint8Array.from(pieces.flatMap((part) => [...part]));
        const whole = parse([bytes]);
        expect(parse(split(bytes, at))).toEqual(whole);
        for (const command of whole.commands) expect(command.length).toBeGreaterThan(0);
      },
      { runs: 1000 },
    );
  });

  test('an array that claims a million elements holds no memory before they come', () => {
    const parser = new RespParser();
    parser.feed(bytesOf('*1048576\r\n$1\r\na\r\n'));
    expect(parser.next()).toBe(false);
    expect(parser.error).toBeNull();
    expect(parser.bufferedBytes).toBeLessThan(100);
  });
});

describe('inline commands', () => {
  test.each([
    ['get a', ['get', 'a']],
    ['  get \t a  ', ['get', 'a']],
    ['set k "a b"', ['set', 'k', 'a b']],
    ['set k "\\x41\\n\\r\\t\\b\\a\\"\\\\\\q"', ['set', 'k', 'A\n\r\t\b\x07"\\q']],
    ["set k 'a\\'b\\n'", ['set', 'k', "a'b\\n"]],
    ['set k ""', ['set', 'k', '']],
    ['set k "\\x4"', ['set', 'k', 'x4']],
    ['set k a"b c"', ['set', 'k', 'ab c']],
    ['set k \xff', ['set', 'k', '\xff']],
  ])('%j', (line, expected) => {
    expect(parseText(`${line}\r\n`)).toEqual({ commands: [expected], error: null });
    expect(parseText(`${line}\n`)).toEqual({ commands: [expected], error: null });
  });
});
