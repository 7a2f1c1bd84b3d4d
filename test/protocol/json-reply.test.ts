import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteStringFromText } from '../../engine/protocol/byte-string.ts';
import type { CommandResult } from '../../engine/protocol/command.ts';
import { encodeRequest, parseReply } from '../../engine/protocol/json-client.ts';
import { LINE_NOT_UTF8, LINE_TOO_LONG } from '../../engine/protocol/json-line-splitter.ts';
import {
  errorReply,
  getReply,
  lineFaultReply,
  pingReply,
  redirectReply,
  scanReply,
  statusReply,
  writeReply,
} from '../../engine/protocol/json-reply.ts';
import { parseRequest } from '../../engine/protocol/json-request.ts';
import { byteString, text } from './arbitraries.ts';
import { property } from './property.ts';

const at = { index: 5, term: 2 };

describe('reply lines', () => {
  it.each<[string, string]>([
    [
      writeReply(null, { type: 'set', ...at, revision: 5 }),
      '{"status":"ok","success":true,"index":5,"term":2,"revision":5}\n',
    ],
    [
      writeReply(1, { type: 'delete', ...at, existed: false, revision: 0 }),
      '{"id":1,"status":"ok","success":false,"index":5,"term":2}\n',
    ],
    [
      writeReply('a"b', { type: 'bulkSet', ...at, count: 3, revision: 5 }),
      '{"id":"a\\"b","status":"ok","success":true,"count":3,"index":5,"term":2,"revision":5}\n',
    ],
    [
      writeReply(null, { type: 'incr', ...at, value: '-9223372036854775808', revision: 5 }),
      '{"status":"ok","value":-9223372036854775808,"index":5,"term":2,"revision":5}\n',
    ],
    [
      writeReply(null, { type: 'cas', ...at, swapped: false, current: null, revision: 0 }),
      '{"status":"ok","success":false,"value":null,"index":5,"term":2}\n',
    ],
    [
      writeReply(null, {
        type: 'cas',
        ...at,
        swapped: true,
        current: { value: '[1]', kind: 1 },
        revision: 5,
      }),
      '{"status":"ok","success":true,"value":[1],"index":5,"term":2,"revision":5}\n',
    ],
    [
      writeReply(7, { type: 'failed', ...at, code: 'INVALID_ARGUMENT', message: 'no "number"' }),
      '{"id":7,"status":"error","code":"INVALID_ARGUMENT","message":"no \\"number\\""}\n',
    ],
    [
      writeReply(7, { type: 'failed', ...at, code: 'INVALID_ARGUMENT', message: 'old', outcome: 'unknown' }),
      '{"id":7,"status":"error","code":"INVALID_ARGUMENT","message":"old","outcome":"unknown"}\n',
    ],
    [
      errorReply(null, 'TIMEOUT', 'late'),
      '{"status":"error","code":"TIMEOUT","message":"late","outcome":"unknown"}\n',
    ],
    [errorReply(0, 'NO_SPACE', 'full'), '{"id":0,"status":"error","code":"NO_SPACE","message":"full"}\n'],
    [redirectReply(null, null), '{"status":"redirect","leader_id":null,"leader":null}\n'],
    [
      redirectReply(3, { id: 2, address: '127.0.0.1:7002' }),
      '{"id":3,"status":"redirect","leader_id":2,"leader":"127.0.0.1:7002"}\n',
    ],
    [redirectReply(null, { id: 2, address: null }), '{"status":"redirect","leader_id":2,"leader":null}\n'],
    [getReply(null, null, 9), '{"status":"ok","value":null,"index":9}\n'],
    [
      getReply(null, { value: 'a"\n', kind: 0, revision: 4 }, 9),
      '{"status":"ok","value":"a\\"\\n","revision":4,"index":9}\n',
    ],
    [
      getReply(null, { value: '\xff', kind: 0, revision: 4 }, 9),
      '{"status":"ok","value":"/w==","encoding":"base64","revision":4,"index":9}\n',
    ],
    [
      scanReply(null, { items: [{ key: '\xff', value: '{"a":1}', kind: 1, revision: 4 }], next: 'ab' }, 9),
      '{"status":"ok","items":[{"key":"/w==","key_encoding":"base64","value":{"a":1},"revision":4}],"cursor":"k1:YWI=","index":9}\n',
    ],
    [scanReply(null, { items: [], next: null }, 9), '{"status":"ok","items":[],"cursor":null,"index":9}\n'],
    [pingReply('x'), '{"id":"x","status":"ok","value":"PONG"}\n'],
    [
      lineFaultReply(LINE_NOT_UTF8, 10),
      '{"status":"error","code":"INVALID_JSON","message":"the line is not UTF-8"}\n',
    ],
  ])('%s', (line, expected) => {
    expect(line).toBe(expected);
  });

  it('a line that is too long is told the limit and its setting', () => {
    expect(JSON.parse(lineFaultReply(LINE_TOO_LONG, 100))).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/100 bytes \(setting lineBytesMax\)/),
    });
  });

  it('status is one line of what the node says', () => {
    const status = {
      version: '0.1.0',
      node_id: 1,
      cluster_id: 'c',
      role: 'leader',
      currentTerm: 3,
      leader_id: 1,
      leader: '127.0.0.1:7001',
      commitIndex: 8,
      lastApplied: 8,
      lastIndex: 9,
      keys: 4,
      alarms: [],
      members: [{ id: 1, role: 'voter', client: '127.0.0.1:7001', peer: '127.0.0.1:7101' }],
      peers: [{ id: 2, address: '127.0.0.1:7102', connected: true, matchIndex: 8 }],
    } as const;
    expect(JSON.parse(statusReply(4, status))).toEqual({ id: 4, status: 'ok', ...status });
  });
});

describe('what goes in comes out', () => {
  it('any text and any JSON value, from a request through the store to the client', () =>
    property(fc.oneof(text(), fc.jsonValue({ maxDepth: 3 })), (value) => {
      const request = parseRequest(encodeRequest({ command: 'set', key: 'k', value: value as never }));
      if (request.type !== 'write' || request.proposal.command.type !== 'set') throw new Error(request.type);
      const reply = parseReply(getReply(1, { ...request.proposal.command, revision: 3 }, 9));
      expect(reply).toMatchObject({ status: 'ok', id: 1, revision: 3, index: 9 });
      expect(JSON.stringify((reply as { value: unknown }).value)).toBe(JSON.stringify(value));
    }));

  it('any bytes as base64, unless they happen to be text', () =>
    property(byteString(), (value) => {
      const bytes = Uint8Array.from(Buffer.from(value, 'latin1'));
      const request = parseRequest(encodeRequest({ command: 'set', key: 'k', value: bytes }));
      expect(request).toMatchObject({ proposal: { command: { value, kind: 0 } } });
      const reply = parseReply(getReply(null, { value, kind: 0, revision: 3 }, 9));
      if (reply?.status !== 'ok') throw new Error(JSON.stringify(reply));
      const back = reply.value instanceof Uint8Array ? reply.value : Buffer.from(String(reply.value));
      expect(Buffer.from(back)).toEqual(Buffer.from(bytes));
    }));

  it('a page of any keys, and the cursor to the next', () =>
    property(fc.array(fc.tuple(byteString(), byteString()), { maxLength: 5 }), (pairs) => {
      const items = pairs.map(([key, value]) => ({ key, value, kind: 0 as const, revision: 1 }));
      const next = items.at(-1)?.key ?? null;
      const reply = parseReply(scanReply('id', { items, next }, 9));
      if (reply?.status !== 'ok') throw new Error(JSON.stringify(reply));
      const bytesOf = (one: unknown) =>
        one instanceof Uint8Array ? Buffer.from(one).toString('latin1') : byteStringFromText(String(one));
      expect(reply.items?.map((item) => [bytesOf(item.key), bytesOf(item.value)])).toEqual(pairs);
      if (next === null) expect(reply.cursor).toBeNull();
      else {
        const request = parseRequest(encodeRequest({ command: 'scan', cursor: reply.cursor ?? '' }));
        expect(request).toMatchObject({ range: { after: next } });
      }
    }));

  it('requests of the client are the requests that the node understands', () => {
    const uuid = '00112233-4455-6677-8899-aabbccddeeff';
    const options = { id: 5, client: uuid, seq: 3, forward: true };
    expect(
      parseRequest(encodeRequest({ command: 'incr', key: 'k', by: -(2n ** 63n) }, options)),
    ).toMatchObject({
      id: 5,
      forward: true,
      proposal: { command: { type: 'incr', by: '-9223372036854775808' }, session: { sequence: 3 } },
    });
    const bytes = new Uint8Array([0xff, 0x00]);
    expect(
      parseRequest(encodeRequest({ command: 'cas', key: 'k', expected: 'é', value: bytes })),
    ).toMatchObject({
      proposal: { command: { expected: { value: '\xc3\xa9', kind: 0 }, value: '\xff\x00', kind: 0 } },
    });
    expect(
      parseRequest(encodeRequest({ command: 'cas', key: 'k', expected: null, value: bytes })),
    ).toMatchObject({
      proposal: { command: { expected: null, value: '\xff\x00' } },
    });
    const items = [
      { key: 'a', value: bytes },
      { key: 'b', value: { n: 1 } },
    ];
    expect(parseRequest(encodeRequest({ command: 'bulk_set', items }))).toMatchObject({
      proposal: {
        command: {
          items: [
            { value: '\xff\x00', kind: 0 },
            { value: '{"n":1}', kind: 1 },
          ],
        },
      },
    });
    for (const command of ['status', 'ping'] as const) {
      expect(parseRequest(encodeRequest({ command })).type).toBe(command);
    }
    expect(parseRequest(encodeRequest({ command: 'get', key: 'k', consistency: 'stale' }))).toMatchObject({
      consistency: 'stale',
    });
    expect(parseRequest(encodeRequest({ command: 'delete', key: 'k' }))).toMatchObject({
      proposal: { command: { type: 'delete' }, session: null },
    });
  });

  it('a counter past 2^53 arrives whole', () => {
    const result: CommandResult = { type: 'incr', ...at, value: '9223372036854775807', revision: 5 };
    expect(parseReply(writeReply(1, result))).toMatchObject({ value: 9223372036854775807n });
    expect(parseReply(writeReply(1, { ...result, value: '-5' }))).toMatchObject({ value: -5 });
  });

  it('errors and redirects', () => {
    expect(parseReply(redirectReply(1, { id: 2, address: 'h:1' }))).toEqual({
      status: 'redirect',
      id: 1,
      leaderId: 2,
      leader: 'h:1',
    });
    expect(parseReply(errorReply('a', 'TIMEOUT', 'late'))).toEqual({
      status: 'error',
      id: 'a',
      code: 'TIMEOUT',
      message: 'late',
      outcomeUnknown: true,
    });
    expect(parseReply(errorReply(null, 'NO_SPACE', 'full'))).toMatchObject({ outcomeUnknown: false });
    // Of a later version: nothing is known, so nothing is promised.
    expect(parseReply('{"status":"error","code":"NEW"}')).toMatchObject({ outcomeUnknown: true });
  });

  it('what is no reply is null, never a throw', () => {
    for (const line of ['', '{', 'null', '5', '[]', '{}', '{"status":"fine"}'])
      expect(parseReply(line)).toBeNull();
    property(
      fc.dictionary(
        fc.constantFrom('status', 'id', 'value', 'items', 'encoding', 'code'),
        fc.jsonValue({ maxDepth: 2 }),
      ),
      (fields) => {
        parseReply(JSON.stringify({ status: 'ok', encoding: 'base64', ...fields }));
      },
    );
  });
});
