import { describe, expect, it } from 'vitest';
import type { ConsoleCommand } from '../../src/shared/console-command.ts';
import { COMMAND_HELP, findCommand, signatureOf } from '../../src/shared/console-commands.ts';
import { completeConsoleLine, hintConsoleLine } from '../../src/shared/console-completion.ts';
import { parseConsoleLine } from '../../src/shared/console-grammar.ts';
import { helpLines } from '../../src/shared/console-help.ts';

const PLAIN = { ttlMs: null, keepTtl: false, onlyIf: null } as const;

function parsed(line: string): ConsoleCommand | null {
  const result = parseConsoleLine(line);
  if (!result.ok) throw new Error(result.message);
  return result.command;
}

function refused(line: string): string {
  const result = parseConsoleLine(line);
  if (result.ok) throw new Error(`was taken as ${JSON.stringify(result.command)}`);
  return result.message;
}

describe('a console line becomes a command', () => {
  const cases: [string, ConsoleCommand | null][] = [
    ['', null],
    ['   ', null],
    ['# a note', null],
    ['set k v', { type: 'set', key: 'k', value: 'v', ...PLAIN }],
    ['SET k "two words"', { type: 'set', key: 'k', value: 'two words', ...PLAIN }],
    ['set k {"a":1}', { type: 'set', key: 'k', value: '{"a":1}', ...PLAIN }],
    [`set k '{"a": "b"}'`, { type: 'set', key: 'k', value: '{"a": "b"}', ...PLAIN }],
    [String.raw`set k "a\"b\n\\"`, { type: 'set', key: 'k', value: 'a"b\n\\', ...PLAIN }],
    [String.raw`set k 'a\n'`, { type: 'set', key: 'k', value: String.raw`a\n`, ...PLAIN }],
    ["set k it's", { type: 'set', key: 'k', value: "it's", ...PLAIN }],
    ['set "" ""', { type: 'set', key: '', value: '', ...PLAIN }],
    ['get Ключ', { type: 'get', key: 'Ключ' }],
    ['del a b', { type: 'delete', keys: ['a', 'b'] }],
    ['delete a', { type: 'delete', keys: ['a'] }],
    [
      'bulk-set a=1 b="2 3" "c d"=\'4\' "e=f"=g h=i=j',
      {
        type: 'bulkSet',
        items: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2 3' },
          { key: 'c d', value: '4' },
          { key: 'e=f', value: 'g' },
          { key: 'h', value: 'i=j' },
        ],
      },
    ],
    ['incr n', { type: 'incr', key: 'n', by: '1' }],
    ['incr n -5', { type: 'incr', key: 'n', by: '-5' }],
    ['incr n +5', { type: 'incr', key: 'n', by: '5' }],
    ['cas k nil me', { type: 'cas', key: 'k', expected: null, value: 'me' }],
    ['cas k "nil" me', { type: 'cas', key: 'k', expected: 'nil', value: 'me' }],
    ['scan', { type: 'scan', prefix: '', limit: 100 }],
    ['scan user: --limit 10', { type: 'scan', prefix: 'user:', limit: 10 }],
    ['scan --limit=3', { type: 'scan', prefix: '', limit: 3 }],
    ['scan "--limit"', { type: 'scan', prefix: '--limit', limit: 100 }],
    ['kill leader', { type: 'kill', target: { kind: 'leader' } }],
    ['kill N1', { type: 'kill', target: { kind: 'node', nodeId: 1 } }],
    ['restart 2', { type: 'restart', target: { kind: 'node', nodeId: 2 } }],
    ['step-down', { type: 'stepDown', target: { kind: 'leader' }, successor: null }],
    ['step-down n1 n3', { type: 'stepDown', target: { kind: 'node', nodeId: 1 }, successor: 3 }],
    ['partition n1 | n2 n3', { type: 'partition', groups: [[1], [2, 3]] }],
    ['partition n1|n2,n3', { type: 'partition', groups: [[1], [2, 3]] }],
    ['partition n1', { type: 'partition', groups: [[1]] }],
    ['cut n1 n2', { type: 'link', from: 1, to: 2, direction: 'both', effect: { kind: 'cut' } }],
    ['cut n1 n2 --one-way', { type: 'link', from: 1, to: 2, direction: 'outbound', effect: { kind: 'cut' } }],
    [
      'slow n1 n2 50ms 20',
      {
        type: 'link',
        from: 1,
        to: 2,
        direction: 'both',
        effect: { kind: 'delay', delayMs: 50, jitterMs: 20 },
      },
    ],
    [
      'lose n1 n2 20%',
      { type: 'link', from: 1, to: 2, direction: 'both', effect: { kind: 'loss', probability: 0.2 } },
    ],
    [
      'fault n2 sync-delay 200',
      {
        type: 'fault',
        target: { kind: 'node', nodeId: 2 },
        fault: { id: 'sync-delay', operations: ['sync'], effect: { kind: 'delay', delayMs: 200 } },
      },
    ],
    [
      'fault leader sync-fails',
      {
        type: 'fault',
        target: { kind: 'leader' },
        fault: { id: 'sync-fails', operations: ['sync'], effect: { kind: 'error', code: 'EIO' } },
      },
    ],
    ['fault n2 clear', { type: 'faultClear', target: { kind: 'node', nodeId: 2 } }],
    ['load 500', { type: 'load', ratePerSecond: 500, clients: 16, valueBytes: 128, writeRatio: 1 }],
    [
      'load max --clients 64 --bytes 256 --writes 50%',
      { type: 'load', ratePerSecond: 0, clients: 64, valueBytes: 256, writeRatio: 0.5 },
    ],
    ['load stop', { type: 'loadStop' }],
    ['set k v --ttl 5s', { type: 'set', key: 'k', value: 'v', ...PLAIN, ttlMs: 5000 }],
    [
      'set k --ttl --ttl=1.5m --nx',
      { type: 'set', key: 'k', value: '--ttl', ...PLAIN, ttlMs: 90_000, onlyIf: 'absent' },
    ],
    [
      'set k v --keep-ttl --xx',
      { type: 'set', key: 'k', value: 'v', ...PLAIN, keepTtl: true, onlyIf: 'present' },
    ],
    ['ttl k', { type: 'ttl', key: 'k' }],
    ['expire k 500ms', { type: 'expire', key: 'k', ttlMs: 500 }],
    ['expire k 30', { type: 'expire', key: 'k', ttlMs: 30_000 }],
    ['persist k', { type: 'persist', key: 'k' }],
    ['watch', { type: 'watch', prefix: null, key: null, fromRevision: null }],
    ['watch user: --from 12', { type: 'watch', prefix: 'user:', key: null, fromRevision: 12 }],
    ['watch --from=12', { type: 'watch', prefix: null, key: null, fromRevision: 12 }],
    ['watch --key=a=b', { type: 'watch', prefix: null, key: 'a=b', fromRevision: null }],
    ['watch --key k', { type: 'watch', prefix: null, key: 'k', fromRevision: null }],
    ['unwatch', { type: 'unwatch', watchId: null }],
    ['unwatch 2', { type: 'unwatch', watchId: 2 }],
    [
      'txn if a = 1 and b missing and c revision > 4 then set a "x; y"; incr n 2;del b else get a',
      {
        type: 'txn',
        compare: [
          { key: 'a', relation: '=', value: '1' },
          { key: 'b', exists: false },
          { key: 'c', relation: '>', revision: 4 },
        ],
        success: [
          { type: 'set', key: 'a', value: 'x; y', ...PLAIN },
          { type: 'incr', key: 'n', by: '2' },
          { type: 'delete', keys: ['b'] },
        ],
        failure: [{ type: 'get', key: 'a' }],
      },
    ],
    [
      'txn then set if then; get "else"',
      {
        type: 'txn',
        compare: [],
        success: [
          { type: 'set', key: 'if', value: 'then', ...PLAIN },
          { type: 'get', key: 'else' },
        ],
        failure: [],
      },
    ],
    ['member', { type: 'memberList' }],
    ['members list', { type: 'memberList' }],
    ['member add', { type: 'memberAdd', nodeId: null }],
    ['member add n4', { type: 'memberAdd', nodeId: 4 }],
    ['member promote 4', { type: 'memberPromote', nodeId: 4 }],
    ['member remove n2', { type: 'memberRemove', target: { kind: 'node', nodeId: 2 }, folder: 'setAside' }],
    ['member remove leader --delete', { type: 'memberRemove', target: { kind: 'leader' }, folder: 'delete' }],
    ['help', { type: 'help', topic: null }],
    ['help cas', { type: 'help', topic: 'cas' }],
  ];
  it.each(cases)('%s', (line, command) => {
    expect(parsed(line)).toEqual(command);
  });

  it('every example in the help is accepted, and means its own command', () => {
    for (const help of COMMAND_HELP) {
      expect(help.examples.length).toBeGreaterThan(0);
      for (const example of help.examples) {
        expect(parsed(example), example).not.toBeNull();
        expect([help.name, ...help.aliases], example).toContain(example.split(' ')[0]);
      }
    }
  });
});

describe('a refused line names the way out', () => {
  const cases: [string, RegExp][] = [
    ['sett k v', /Did you mean "set"\?.*help/],
    ['frobnicate', /no command "frobnicate"\. Type help/],
    ['set k', /Usage: set <key> <value>/],
    ['set k two words', /needs quotes.*set greeting "hello world"/],
    ['set k "open', /quote is still open/],
    ['get "a"b', /space after the closing quote, before "b"/],
    ['bulk-set a', /"a" is not key=value/],
    ['bulk-set =1', /is not key=value/],
    ['incr n 1.5', /not a whole number/],
    ['scan --limit', /--limit needs a number/],
    ['scan --limit many', /--limit needs a number/],
    ['scan --limit 0', /from 1 to 10000/],
    ['scan a --depth 2', /no option --depth/],
    ['kill', /Usage: kill <node>/],
    ['kill n0', /write n1, n2, n3/],
    ['kill everyone', /"everyone" is not a node/],
    ['partition', /needs a node/],
    ['partition n1 |', /needs a node/],
    ['partition n1 | n1 n2', /one side only/],
    ['cut n1 n1', /two different nodes/],
    ['lose n1 n2 200', /from 0 to 100/],
    ['fault n1 explode', /There are: sync-fails/],
    ['fault n1 sync-delay', /needs milliseconds/],
    ['fault n1 sync-fails 3', /takes no number/],
    ['set k v --ttl soon', /"soon" is not a duration: write 500ms, 30s/],
    ['set k v --ttl 5s --keep-ttl', /not both/],
    ['set k v --tll 5s', /no option --tll/],
    ['expire k 0s', /not a duration/],
    ['watch a b', /takes less/],
    ['watch --key', /watch needs more/],
    ['watch --depth 2', /no option --depth/],
    ['watch --from x', /--from is a revision/],
    ['watch a --key b', /Either a prefix or one key/],
    ['txn', /then is missing/],
    ['txn set a 1', /begins with if or then/],
    ['txn then', /nothing to do/],
    ['txn then frob x', /"frob" cannot stand in a transaction: set, get/],
    ['txn then kill n1', /"kill" cannot stand in a transaction/],
    ['txn if a ~ 1 then get a', /"a ~ 1" is not a condition/],
    ['txn then get a else get b', /Without if, else is never done/],
    ['member explode', /"explode" is not list, add, promote or remove/],
    ['member promote', /Name the learner/],
    ['member remove', /Name the node that shall go/],
    ['member add n4 --delete', /goes with remove/],
    ['member remove n1 n2', /One node at a time/],
    ['load fast', /not a number/],
    ['load 5 --clients 0', /from 1 to 1000/],
    ['status now', /takes nothing/],
  ];
  it.each(cases)('%s', (line, message) => {
    expect(refused(line)).toMatch(message);
  });

  it('no line of random characters makes the parser throw', () => {
    const seed = Number(process.env.QUORUMLAB_SEED ?? Math.floor(Math.random() * 2 ** 31));
    let state = seed;
    const next = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const alphabet = [...`abn12 "'\\=|-{}\t%,`, 'set ', 'fault ', 'scan ', 'load ', '--limit ', '--clients='];
    for (let round = 0; round < 1500; round += 1) {
      const line = Array.from({ length: next(12) }, () => alphabet[next(alphabet.length)]).join('');
      const describeLine = `QUORUMLAB_SEED=${seed}: ${JSON.stringify(line)}`;
      expect(() => parseConsoleLine(line), describeLine).not.toThrow();
      expect(() => hintConsoleLine(line, next(line.length + 1)), describeLine).not.toThrow();
    }
  });
});

describe('completion', () => {
  const context = { nodeIds: [1, 2, 3], keys: ['user:1', 'two words'] };
  const complete = (line: string, cursor = line.length) => completeConsoleLine(line, cursor, context);

  it('offers commands for the first word', () => {
    expect(complete('st')).toEqual({ from: 0, to: 2, candidates: ['status', 'stop', 'step-down'] });
    expect(complete('').candidates).toContain('set');
  });
  it('offers nodes and the leader where a node is due', () => {
    expect(complete('kill ').candidates).toEqual(['leader', 'n1', 'n2', 'n3']);
    expect(complete('kill l')).toEqual({ from: 5, to: 6, candidates: ['leader'] });
    expect(complete('partition n1 | n').candidates).toEqual(['n1', 'n2', 'n3']);
  });
  it('offers faults, options, topics and known keys', () => {
    expect(complete('fault n1 sync-').candidates).toContain('sync-delay');
    expect(complete('scan --').candidates).toEqual(['--limit']);
    expect(complete('load 5 --').candidates).toEqual(['--clients', '--bytes', '--writes']);
    expect(complete('help ca').candidates).toEqual(['cas', 'campaign']);
    expect(complete('get u').candidates).toEqual(['user:1']);
    expect(complete('get "t').candidates).toEqual(['"two words"']);
  });
  it('replaces the whole word that the cursor is in', () => {
    expect(complete('kill lead now', 7)).toEqual({ from: 5, to: 9, candidates: ['leader'] });
  });
  it('offers every command, its options and its topic, and every command is in help', () => {
    const all = helpLines(null).map(({ text }) => text);
    for (const help of COMMAND_HELP) {
      expect(complete(help.name.slice(0, -1)).candidates, help.name).toContain(help.name);
      expect(complete(`help ${help.name.slice(0, -1)}`).candidates, help.name).toContain(help.name);
      expect(
        all.some((line) => line.startsWith(signatureOf(help))),
        help.name,
      ).toBe(true);
      const topic = helpLines(help.name).map(({ text }) => text);
      expect(topic).toEqual([signatureOf(help), help.summary, ...help.examples]);
      for (const alias of help.aliases) expect(findCommand(alias), alias).toBe(help);
    }
    expect(complete('member ').candidates).toEqual(['list', 'add', 'promote', 'remove', '--delete']);
    expect(complete('member remove n').candidates).toEqual(['n1', 'n2', 'n3']);
    expect(complete('set k v --').candidates).toEqual(['--ttl', '--keep-ttl', '--nx', '--xx']);
    expect(complete('watch --').candidates).toEqual(['--key', '--from']);
  });
  it('tells which argument is due', () => {
    expect(hintConsoleLine('cas k ', 6)).toMatchObject({ command: { name: 'cas' }, active: 1 });
    expect(hintConsoleLine('del a b c', 9)).toMatchObject({ active: 0 });
    expect(hintConsoleLine('get a b', 7)).toMatchObject({ active: null });
    expect(hintConsoleLine('nonsense ', 9)).toBeNull();
  });
});
