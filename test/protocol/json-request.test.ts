import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteStringFromText } from '../../engine/protocol/byte-string.ts';
import type { Command } from '../../engine/protocol/command.ts';
import { decodeProposal, encodeProposal } from '../../engine/protocol/command-codec.ts';
import { DEFAULT_JSON_LIMITS, type JsonLimits, type ParsedRequest } from '../../engine/protocol/json-line.ts';
import { parseRequest } from '../../engine/protocol/json-request.ts';
import { text } from './arbitraries.ts';
import { property } from './property.ts';

const SMALL: JsonLimits = {
  keyBytesMax: 4,
  valueBytesMax: 8,
  bulkItemsMax: 2,
  lineBytesMax: 100,
  scanItemsMax: 5,
};

function commandOf(line: string, limits?: JsonLimits): Command {
  const request = parseRequest(line, limits);
  if (request.type !== 'write') throw new Error(JSON.stringify(request));
  return request.proposal.command;
}

/** Code and message of the reply to a line that is refused. */
function refusal(line: string, limits?: JsonLimits): { code: string; message: string; id?: unknown } {
  const request = parseRequest(line, limits);
  if (request.type !== 'refused') throw new Error(JSON.stringify(request));
  expect(request.reply.endsWith('\n')).toBe(true);
  const reply = JSON.parse(request.reply);
  expect(reply).toMatchObject({ status: 'error', code: request.code });
  expect(request.reply.indexOf('\n')).toBe(request.reply.length - 1);
  return reply;
}

describe('requests', () => {
  it.each<[string, ParsedRequest]>([
    ['{"command":"ping"}', { type: 'ping', id: null }],
    ['{"type":"ping","id":"a\\"b"}', { type: 'ping', id: 'a"b' }],
    ['{"command":"status","id":7}', { type: 'status', id: 7 }],
    [
      '{"command":"get","key":"k"}',
      { type: 'get', id: null, forward: false, key: 'k', consistency: 'linearizable' },
    ],
    [
      '{"command":"get","key":"é","consistency":"stale","forward":true,"id":0.5}',
      { type: 'get', id: 0.5, forward: true, key: '\xc3\xa9', consistency: 'stale' },
    ],
    [
      '{"command":"scan"}',
      {
        type: 'scan',
        id: null,
        forward: false,
        consistency: 'linearizable',
        range: { prefix: '', start: '', end: null, after: null, limit: 100 },
      },
    ],
    [
      '{"command":"scan","prefix":"p","start":"a","end":"b","limit":10000,"cursor":"k1:YWI="}',
      {
        type: 'scan',
        id: null,
        forward: false,
        consistency: 'linearizable',
        range: { prefix: 'p', start: 'a', end: 'b', after: 'ab', limit: 10_000 },
      },
    ],
  ])('%s', (line, expected) => {
    expect(parseRequest(line)).toEqual(expected);
  });

  it.each<[string, Command]>([
    ['{"command":"set","key":"k","value":"v"}', { type: 'set', key: 'k', value: 'v', kind: 0 }],
    ['{"type":"set","key":"","value":""}', { type: 'set', key: '', value: '', kind: 0 }],
    [
      '{"command":"set","key":"k","value":"\\u20ac\\n"}',
      { type: 'set', key: 'k', value: '\xe2\x82\xac\n', kind: 0 },
    ],
    [
      '{"command":"set","key":"k","value":"AP8=","encoding":"base64"}',
      { type: 'set', key: 'k', value: '\x00\xff', kind: 0 },
    ],
    [
      '{"command":"set","key":"/w==","key_encoding":"base64","value":"v"}',
      { type: 'set', key: '\xff', value: 'v', kind: 0 },
    ],
    ['{"command":"set","key":"k","value":null}', { type: 'set', key: 'k', value: 'null', kind: 1 }],
    [
      '{"command":"set","key":"k","value":{"é": [ true, 1.50 ]}}',
      { type: 'set', key: 'k', value: '{"\xc3\xa9":[true,1.5]}', kind: 1 },
    ],
    ['{"command":"delete","key":"k"}', { type: 'delete', key: 'k' }],
    ['{"command":"incr","key":"k"}', { type: 'incr', key: 'k', by: '1' }],
    ['{"command":"incr","key":"k","by":-3}', { type: 'incr', key: 'k', by: '-3' }],
    [
      '{"command":"incr","key":"k","by":"-9223372036854775808"}',
      { type: 'incr', key: 'k', by: '-9223372036854775808' },
    ],
    [
      '{"command":"bulk_set","items":[{"key":"a","value":1},["b","2"],{"key":"c","value":"AA==","encoding":"base64"}]}',
      {
        type: 'bulkSet',
        items: [
          { key: 'a', value: '1', kind: 1 },
          { key: 'b', value: '2', kind: 0 },
          { key: 'c', value: '\x00', kind: 0 },
        ],
      },
    ],
    [
      '{"command":"cas","key":"k","expected":null,"value":1}',
      { type: 'cas', key: 'k', expected: null, value: '1', kind: 1 },
    ],
    [
      '{"command":"cas","key":"k","expected":"YQ==","value":"Yg==","encoding":"base64"}',
      { type: 'cas', key: 'k', expected: { value: 'a', kind: 0 }, value: 'b', kind: 0 },
    ],
  ])('%s', (line, expected) => {
    expect(commandOf(line)).toEqual(expected);
  });

  it('a client and its sequence make a session', () => {
    const request = parseRequest(
      '{"command":"delete","key":"k","client":"00112233-4455-6677-8899-aAbBcCdDeEfF","seq":9007199254740991}',
    );
    expect(request).toMatchObject({
      proposal: {
        session: {
          client: '\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff',
          sequence: Number.MAX_SAFE_INTEGER,
        },
      },
    });
  });
});

describe('JSON values keep what JSON.parse would lose', () => {
  it.each([
    ['12345678901234567890'],
    ['-0.1234567890123456789'],
    ['1e400'],
    ['{"a":[1e5,"x y\\" ]"],"b":12345678901234567890}'],
  ])('%s', (json) => {
    const spaced = json.replaceAll(',', ' , ').replace('[', '[ ');
    expect(commandOf(`{ "value" : ${spaced} , "command":"set", "key":"k" }`)).toEqual({
      type: 'set',
      key: 'k',
      value: json,
      kind: 1,
    });
    expect(commandOf(`{"command":"cas","key":"k","expected": ${spaced},"value":1}`)).toMatchObject({
      expected: { value: json, kind: 1 },
    });
    expect(
      commandOf(
        `{"command":"bulk_set","items":[ [ "a" , ${spaced} ],{"x":[{}],"key":"b","value":${spaced}},["c","d"]]}`,
      ),
    ).toMatchObject({ items: [{ value: json }, { value: json, kind: 1 }, { value: 'd', kind: 0 }] });
  });

  it('the last of two members with one name counts, whatever the way it is written', () => {
    const line =
      '{"command":"set","key":"k","value":11111111111111111111,"v\\u0061lue":22222222222222222222}';
    expect(commandOf(line)).toMatchObject({ value: '22222222222222222222' });
  });

  it('nesting as deep as a line is long', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(commandOf(`{"command":"set","key":"k","value":${deep}}`)).toMatchObject({ value: deep, kind: 1 });
  });

  it('any JSON value is stored as a text that means the same', () =>
    property(
      fc.tuple(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom('', ' ', '\t')),
      ([value, space]) => {
        const line = JSON.stringify({ key: 'k', value, command: 'set' }, null, space);
        const stored = commandOf(line);
        if (stored.type !== 'set') throw new Error(stored.type);
        if (typeof value === 'string')
          expect(stored).toMatchObject({ value: byteStringFromText(value), kind: 0 });
        else expect(stored).toMatchObject({ value: byteStringFromText(JSON.stringify(value)), kind: 1 });
      },
      { runs: 200 },
    ));

  it('ten thousand such items take no longer than reading them', () => {
    const items = Array.from({ length: 10_000 }, (_, at) => `["k${at}",${at}.12345678901234567890]`);
    const parsed = commandOf(`{"command":"bulk_set","items":[${items.join(',')}]}`);
    if (parsed.type !== 'bulkSet') throw new Error(parsed.type);
    expect(parsed.items[9_999]).toEqual({ key: 'k9999', value: '9999.12345678901234567890', kind: 1 });
  });
});

describe('refusals', () => {
  it.each([
    ['', 'INVALID_JSON'],
    ['{"command":', 'INVALID_JSON'],
    ['[1]', 'INVALID_JSON'],
    ['null', 'INVALID_JSON'],
    ['"set"', 'INVALID_JSON'],
    ['{"command":"flush"}', 'UNKNOWN_COMMAND'],
    ['{"command":"txn"}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","then":{}}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","then":[{"command":"txn","then":[]}]}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","then":[{"command":"scan"}]}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","then":["set"]}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","compare":[{"key":"k"}],"then":[]}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","compare":[{"key":"k","exists":true,"revision":1}],"then":[{}]}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","compare":[{"key":"k","revision":-1}],"then":[{}]}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","compare":[{"key":"k","value":1,"op":"<="}],"then":[{}]}', 'INVALID_ARGUMENT'],
    ['{"command":"txn","then":[{"command":"get","key":"k"}],"on_failure":"retry"}', 'INVALID_ARGUMENT'],
    ['{"command":"expire","key":"k"}', 'INVALID_ARGUMENT'],
    ['{"command":"expire","key":"k","ttl_ms":0}', 'INVALID_ARGUMENT'],
    ['{"command":"expire","key":"k","ttl_ms":5,"expires_at":7}', 'INVALID_ARGUMENT'],
    ['{"command":"expire","key":"k","ttl_ms":5,"only_if":"absent"}', 'INVALID_ARGUMENT'],
    ['{"command":"watch","key":"k","prefix":"p"}', 'INVALID_ARGUMENT'],
    ['{"command":"watch","from_revision":1.5}', 'INVALID_ARGUMENT'],
    ['{"command":"watch","watch":{}}', 'INVALID_ARGUMENT'],
    ['{"command":"unwatch"}', 'INVALID_ARGUMENT'],
    ['{"command":"auth"}', 'INVALID_ARGUMENT'],
    ['{"command":"__proto__"}', 'UNKNOWN_COMMAND'],
    ['{}', 'INVALID_ARGUMENT'],
    ['{"command":5}', 'INVALID_ARGUMENT'],
    ['{"command":"set","value":"v"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":5,"value":"v"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"\\ud800","value":"v"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"\\udc00"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","encoding":"hex"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"A","encoding":"base64"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"AB==","encoding":"base64"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"A A=","encoding":"base64"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":5,"encoding":"base64"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","ttl_ms":0}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","ttl_ms":1.5}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","ttl_ms":281474976710656}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","ttl_ms":5,"keep_ttl":true}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","only_if":"never"}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","forward":1}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","client":"x","seq":1}', 'INVALID_ARGUMENT'],
    ['{"command":"set","key":"k","value":"v","seq":1}', 'INVALID_ARGUMENT'],
    [
      '{"command":"set","key":"k","value":"v","client":"00112233-4455-6677-8899-aabbccddeeff"}',
      'INVALID_ARGUMENT',
    ],
    [
      '{"command":"set","key":"k","value":"v","client":"00112233-4455-6677-8899-aabbccddeefg","seq":1}',
      'INVALID_ARGUMENT',
    ],
    [
      '{"command":"set","key":"k","value":"v","client":"00112233+4455-6677-8899-aabbccddeeff","seq":1}',
      'INVALID_ARGUMENT',
    ],
    [
      '{"command":"set","key":"k","value":"v","client":"00112233-4455-6677-8899-aabbccddeeff","seq":-1}',
      'INVALID_ARGUMENT',
    ],
    ['{"command":"get","key":"k","consistency":"eventual"}', 'INVALID_ARGUMENT'],
    ['{"command":"cas","key":"k","value":"v"}', 'INVALID_ARGUMENT'],
    ['{"command":"cas","key":"k","expected":"v"}', 'INVALID_ARGUMENT'],
    ['{"command":"incr","key":"k","by":1.5}', 'INVALID_ARGUMENT'],
    ['{"command":"incr","key":"k","by":9007199254740993}', 'INVALID_ARGUMENT'],
    ['{"command":"incr","key":"k","by":"9223372036854775808"}', 'INVALID_ARGUMENT'],
    ['{"command":"incr","key":"k","by":"01"}', 'INVALID_ARGUMENT'],
    ['{"command":"incr","key":"k","by":null}', 'INVALID_ARGUMENT'],
    ['{"command":"bulk_set","items":[]}', 'INVALID_ARGUMENT'],
    ['{"command":"bulk_set","items":{}}', 'INVALID_ARGUMENT'],
    ['{"command":"bulk_set","items":[["a"]]}', 'INVALID_ARGUMENT'],
    ['{"command":"bulk_set","items":["a"]}', 'INVALID_ARGUMENT'],
    ['{"command":"bulk_set","items":[{"key":"a"}]}', 'INVALID_ARGUMENT'],
    ['{"command":"scan","limit":0}', 'INVALID_ARGUMENT'],
    ['{"command":"scan","limit":1.5}', 'INVALID_ARGUMENT'],
    ['{"command":"scan","limit":"5"}', 'INVALID_ARGUMENT'],
    ['{"command":"scan","cursor":"nonsense"}', 'INVALID_ARGUMENT'],
    ['{"command":"scan","prefix":5}', 'INVALID_ARGUMENT'],
    ['{"command":"ping","id":{}}', 'INVALID_ARGUMENT'],
    ['{"command":"ping","id":true}', 'INVALID_ARGUMENT'],
    ['{"command":"ping","id":12345678901234567890}', 'INVALID_ARGUMENT'],
    ['{"command":"ping","id":1e999}', 'INVALID_ARGUMENT'],
  ])('%s: %s', (line, code) => {
    expect(refusal(line).code).toBe(code);
  });

  it('carry the id of their request', () => {
    expect(refusal('{"id":3,"command":"set"}').id).toBe(3);
    expect(refusal('{"id":"x","command":"nope"}').id).toBe('x');
    expect('id' in refusal('{"command":"nope"}')).toBe(false);
  });

  it.each([
    ['{"command":"set","key":"12345","value":"v"}', '4', 'keyBytesMax'],
    ['{"command":"set","key":"€€","value":"v"}', '4', 'keyBytesMax'],
    ['{"command":"get","key":"12345"}', '4', 'keyBytesMax'],
    ['{"command":"scan","prefix":"12345"}', '4', 'keyBytesMax'],
    ['{"command":"set","key":"k","value":"123456789"}', '8', 'valueBytesMax'],
    ['{"command":"set","key":"k","value":[1,2,3,4]}', '8', 'valueBytesMax'],
    ['{"command":"cas","key":"k","expected":"123456789","value":"v"}', '8', 'valueBytesMax'],
    ['{"command":"bulk_set","items":[["a","1"],["b","123456789"]]}', '8', 'valueBytesMax'],
    ['{"command":"bulk_set","items":[["a","1"],["b","2"],["c","3"]]}', '2', 'bulkItemsMax'],
    ['{"command":"scan","limit":6}', '5', 'scanItemsMax'],
  ])('%s is past the limit of %s, setting %s', (line, limit, setting) => {
    const { code, message } = refusal(line, SMALL);
    expect(code).toBe('TOO_LARGE');
    expect(message).toContain(`limit of ${limit}`);
    expect(message).toContain(`setting ${setting}`);
  });

  it('nothing is refused at its limit', () => {
    expect(commandOf('{"command":"set","key":"1234","value":"12345678"}', SMALL).type).toBe('set');
    expect(commandOf('{"command":"bulk_set","items":[["a","1"],["b","2"]]}', SMALL).type).toBe('bulkSet');
    expect(parseRequest('{"command":"scan","limit":5}', SMALL).type).toBe('scan');
    // Without a limit of its own a scan takes what is allowed.
    expect(parseRequest('{"command":"scan"}', SMALL)).toMatchObject({ range: { limit: 5 } });
  });

  it('a write that fits a line but no log entry is refused by name', () => {
    const limits = { ...DEFAULT_JSON_LIMITS, lineBytesMax: 2 ** 30 };
    const items = Array.from({ length: 9 }, (_, at) => [`k${at}`, 'x'.repeat(8 * 1024 * 1024)]);
    expect(refusal(JSON.stringify({ command: 'bulk_set', items }), limits)).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('one log entry'),
    });
  });

  it('any object of our words gets a request or a refusal, and writes survive their encoding', () => {
    const word = fc.constantFrom<unknown>(
      'set',
      'get',
      'cas',
      'incr',
      'bulk_set',
      'scan',
      'k',
      'AA==',
      '',
      null,
      1,
      -1,
      1e300,
    );
    const anything = fc.oneof(
      word,
      fc.array(fc.oneof(word, fc.array(word, { maxLength: 3 })), { maxLength: 3 }),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const names = [
      'command',
      'type',
      'key',
      'value',
      'expected',
      'items',
      'by',
      'encoding',
      'key_encoding',
      'id',
    ].concat([
      'client',
      'seq',
      'limit',
      'cursor',
      'prefix',
      'start',
      'end',
      'forward',
      'consistency',
      'ttl_ms',
      'then',
      'else',
      'compare',
      'revision',
      'exists',
      'op',
      'only_if',
      'watch',
      'from_revision',
    ]);
    const body = fc.dictionary(fc.constantFrom(...names), anything);
    property(
      fc.tuple(
        fc.constantFrom('set', 'get', 'cas', 'incr', 'bulk_set', 'scan', 'txn', 'expire', 'watch', 'ttl'),
        body,
      ),
      ([name, fields]) => {
        const request = parseRequest(JSON.stringify({ command: name, ...fields }));
        if (request.type === 'refused') JSON.parse(request.reply);
        if (request.type === 'write') {
          expect(decodeProposal(encodeProposal(request.proposal).data)).toEqual(request.proposal);
        }
      },
      { runs: 150 },
    );
    property(text(), (line) => {
      expect(parseRequest(line).type).toBe('refused');
    });
  });
});

describe('ends, transactions, watches', () => {
  const set = (line: string) => commandOf(`{"command":"set","key":"k","value":"v",${line}}`);

  it('a set with an end, a condition or a question is another command; without, it is the plain one', () => {
    const plain = { key: 'k', value: 'v', kind: 0 };
    const rest = { ...plain, type: 'setWith', when: 'always', returnsPrevious: false };
    expect(set('"ttl_ms":null,"keep_ttl":false,"return_previous":false')).toEqual({ type: 'set', ...plain });
    expect(set('"ttl_ms":500')).toEqual({ ...rest, expiry: { type: 'after', ms: 500 } });
    expect(set('"expires_at":0')).toEqual({ ...rest, expiry: { type: 'at', ms: 0 } });
    expect(set('"keep_ttl":true')).toEqual({ ...rest, expiry: { type: 'keep' } });
    expect(set('"only_if":"absent"')).toEqual({ ...rest, when: 'absent', expiry: { type: 'none' } });
    expect(set('"return_previous":true')).toEqual({
      ...rest,
      returnsPrevious: true,
      expiry: { type: 'none' },
    });
  });

  it('a bulk_set takes an end for each item, and a condition for all', () => {
    const items = '[["a",1],{"key":"b","value":2,"ttl_ms":5}]';
    expect(commandOf(`{"command":"bulk_set","items":${items}}`)).toEqual({
      type: 'bulkSetWith',
      items: [
        { key: 'a', value: '1', kind: 1, expiry: { type: 'none' } },
        { key: 'b', value: '2', kind: 1, expiry: { type: 'after', ms: 5 } },
      ],
      ifAllAbsent: false,
    });
    expect(commandOf('{"command":"bulk_set","items":[["a","1"]],"only_if":"absent"}')).toMatchObject({
      type: 'bulkSetWith',
      ifAllAbsent: true,
    });
  });

  it('a transaction keeps the digits of numbers, wherever they stand', () => {
    const line = `{"command":"txn","compare":[{"key":"n","value":12345678901234567890},{"key":"m","revision":7,"op":">"},
      {"key":"o","exists":false}],"then":[{"command":"set","key":"k","value":[1.0000000000000000001]},
      {"command":"bulk_set","items":[["p",98765432109876543210]]}, {"command":"ttl","key":"k"}],
      "else":[{"type":"get","key":"k"},{"command":"cas","key":"k","expected":null,"value":"v"}]}`;
    expect(commandOf(line.replaceAll('\n', ' '))).toEqual({
      type: 'txn',
      compare: [
        { type: 'value', key: 'n', relation: '=', value: { value: '12345678901234567890', kind: 1 } },
        { type: 'revision', key: 'm', relation: '>', revision: 7 },
        { type: 'exists', key: 'o', exists: false },
      ],
      success: [
        { type: 'set', key: 'k', value: '[1.0000000000000000001]', kind: 1 },
        { type: 'bulkSet', items: [{ key: 'p', value: '98765432109876543210', kind: 1 }] },
        { type: 'expiryOf', key: 'k' },
      ],
      failure: [
        { type: 'get', key: 'k' },
        { type: 'cas', key: 'k', expected: null, value: 'v', kind: 0 },
      ],
      onFailure: 'abort',
    });
  });

  it('a transaction is bounded like a bulk_set', () => {
    const limits = { ...DEFAULT_JSON_LIMITS, bulkItemsMax: 2 };
    const then = Array.from({ length: 3 }, () => ({ command: 'get', key: 'k' }));
    expect(refusal(JSON.stringify({ command: 'txn', then }), limits)).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('bulkItemsMax'),
    });
  });

  it('ttl, expire, persist, watch, unwatch and auth are requests', () => {
    expect(parseRequest('{"command":"ttl","key":"k","consistency":"stale"}')).toMatchObject({
      type: 'ttl',
      key: 'k',
      consistency: 'stale',
    });
    expect(commandOf('{"command":"expire","key":"k","ttl_ms":5,"only_if":"later"}')).toEqual({
      type: 'expire',
      key: 'k',
      expiry: { type: 'after', ms: 5 },
      when: 'ifLater',
    });
    expect(commandOf('{"command":"persist","key":"k"}')).toEqual({ type: 'persist', key: 'k' });
    const watch = { type: 'watch', id: null, bytes: '', isPrefix: true, watch: null, fromRevision: null };
    expect(parseRequest('{"command":"watch"}')).toEqual(watch);
    expect(parseRequest('{"command":"watch","key":"k","watch":"w","from_revision":5}')).toEqual({
      ...watch,
      bytes: 'k',
      isPrefix: false,
      watch: 'w',
      fromRevision: 5,
    });
    expect(parseRequest('{"command":"unwatch","watch":1}')).toEqual({ type: 'unwatch', id: null, watch: 1 });
    expect(parseRequest('{"command":"auth","password":"p"}')).toEqual({
      type: 'auth',
      id: null,
      password: 'p',
    });
  });
});
