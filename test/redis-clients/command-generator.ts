// Random commands that mean the same to Redis and to this store: valid ones, wrong ones, transactions, odd bytes.
import type { SeededChoice } from '../cluster/seed.ts';

type Argv = string[];

const KEYS = ['a', 'b', 'c', 'd', 'key:1', 'key:2', '', 'k\0\xff'];
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '10',
  '007',
  ' 5',
  '3.5',
  '1e3',
  'abc',
  'hello world',
  'x\r\ny',
  '\0\x01\xfe\xff',
  '9223372036854775807',
  '-9223372036854775808',
  'x'.repeat(50),
];
const INTEGERS = [
  '0',
  '1',
  '-1',
  '5',
  '100',
  '-100',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '1.5',
  'abc',
  '',
  ' 1',
  '+1',
  '01',
  '-0',
];
const SMALL = ['0', '1', '-1', '2', '5', '-3', '100', '-100', '9223372036854775807', 'x'];
const SECONDS = ['100', '1000', '5000', '0', '-1', 'x', '9223372036854775807'];
/** None so short that a key ends while both servers are asked. */
const MILLISECONDS = ['100000', '5000000', '0', '-1', 'x', '9223372036854775807'];
const FLOATS = ['0', '1', '-1', '0.5', '0.125', '3.0e3', '1e2', '-2.25', 'abc', '', 'nan', ' 1', '5.'];

function endsOf(name: string): string[] {
  return [name.includes('P') ? '9999999999999' : '99999999999', '0', '-5', 'x'];
}

function spansOf(name: string): string[] {
  return name.includes('P') ? MILLISECONDS : SECONDS;
}

export class CommandGenerator {
  readonly #choice: SeededChoice;

  constructor(choice: SeededChoice) {
    this.#choice = choice;
  }

  #pick<T>(from: readonly T[]): T {
    return this.#choice.pick(from);
  }

  #chance(probability: number): boolean {
    return this.#choice.integer(1_000_000) < probability * 1_000_000;
  }

  #case(name: string): string {
    return this.#chance(0.3) ? name.toLowerCase() : name;
  }

  #key(): string {
    return this.#pick(KEYS);
  }

  #keys(): string[] {
    return Array.from({ length: 1 + this.#choice.integer(4) }, () => this.#key());
  }

  #setOptions(): string[] {
    const options: string[] = [];
    for (let count = this.#choice.integer(4); count > 0; count--) {
      const option = this.#pick(['NX', 'XX', 'GET', 'KEEPTTL', 'EX', 'PX', 'EXAT', 'PXAT', 'FOO']);
      options.push(this.#case(option));
      if (/^(EX|PX|EXAT|PXAT)$/.test(option) && this.#chance(0.95)) {
        options.push(this.#pick(option.endsWith('AT') ? endsOf(option) : spansOf(option)));
      }
    }
    return options;
  }

  #string(): Argv {
    const pick = this.#pick.bind(this);
    switch (this.#choice.integer(24)) {
      case 0:
      case 1:
        return ['GET', this.#key()];
      case 2:
      case 3:
        return ['SET', this.#key(), pick(VALUES)];
      case 4:
        return ['SET', this.#key(), pick(VALUES), ...this.#setOptions()];
      case 5:
        return ['SETNX', this.#key(), pick(VALUES)];
      case 6: {
        const name = pick(['SETEX', 'PSETEX']);
        return [name, this.#key(), pick(spansOf(name)), pick(VALUES)];
      }
      case 7:
        return ['MGET', ...this.#keys()];
      case 8:
        return [
          pick(['MSET', 'MSETNX']),
          ...this.#keys().flatMap((key) => [key, pick(VALUES)]),
          ...(this.#chance(0.1) ? ['odd'] : []),
        ];
      case 9:
        return ['GETSET', this.#key(), pick(VALUES)];
      case 10:
        return ['GETDEL', this.#key()];
      case 11:
        return [
          'GETEX',
          this.#key(),
          ...pick([
            [],
            ['PERSIST'],
            ['EX', pick(SECONDS)],
            ['PX', pick(SECONDS)],
            ['EXAT', '99999999999'],
            ['FOO'],
            ['EX'],
            ['PERSIST', 'EX', '10'],
          ]),
        ];
      case 12:
        return ['APPEND', this.#key(), pick(VALUES)];
      case 13:
        return ['STRLEN', this.#key()];
      case 14:
        return [pick(['GETRANGE', 'SUBSTR']), this.#key(), pick(SMALL), pick(SMALL)];
      case 15:
        return [
          'SETRANGE',
          this.#key(),
          pick(['0', '1', '5', '60', '-1', 'x', '536870912', '9223372036854775807']),
          pick(VALUES),
        ];
      case 16:
      case 17:
        return [pick(['INCR', 'DECR']), this.#key()];
      case 18:
      case 19:
        return [pick(['INCRBY', 'DECRBY']), this.#key(), pick(INTEGERS)];
      case 20:
      case 21:
        return this.#chance(0.2)
          ? ['SET', pick(['f', 'g']), pick(FLOATS)]
          : ['INCRBYFLOAT', pick(['f', 'g']), pick(FLOATS)];
      default:
        return [
          'LCS',
          this.#key(),
          this.#key(),
          ...pick([
            [],
            ['LEN'],
            ['IDX'],
            ['IDX', 'WITHMATCHLEN'],
            ['IDX', 'MINMATCHLEN', pick(SMALL)],
            ['LEN', 'IDX'],
            ['FOO'],
            ['MINMATCHLEN'],
          ]),
        ];
    }
  }

  #expiry(): Argv {
    const name = this.#pick(['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT']);
    const isAt = name.endsWith('AT');
    const ends = name.includes('PEXP')
      ? ['9999999999999', '8888888888888', '1']
      : ['99999999999', '88888888888', '1'];
    const whens = isAt
      ? [...ends, '0', '-5', 'x']
      : [...spansOf(name.replace('EXP', '')), '-9223372036854775808'];
    const options = [[], [], [], ['NX'], ['XX'], ['NX', 'XX'], ['GT', 'LT'], ['nx', 'gt'], ['FOO']];
    // Which of two spans ends later, may depend on the millisecond.
    if (isAt) options.push(['GT'], ['LT'], ['XX', 'GT'], ['XX', 'LT']);
    return [name, this.#key(), this.#pick(whens), ...this.#pick(options)];
  }

  #keyCommand(): Argv {
    const pick = this.#pick.bind(this);
    switch (this.#choice.integer(16)) {
      case 0:
      case 1:
        return [pick(['DEL', 'UNLINK']), ...this.#keys()];
      case 2:
        return [pick(['EXISTS', 'TOUCH']), ...this.#keys()];
      case 3:
        return ['TYPE', this.#key()];
      case 4:
      case 5:
      case 6:
        return this.#expiry();
      case 7:
        return [pick(['TTL', 'EXPIRETIME']), this.#key()];
      case 8:
        return ['PERSIST', this.#key()];
      case 9:
        return [pick(['RENAME', 'RENAMENX']), this.#key(), this.#key()];
      case 10:
        return [
          'COPY',
          this.#key(),
          this.#key(),
          ...pick([[], ['REPLACE'], ['DB', '0'], ['DB', '0', 'REPLACE'], ['DB'], ['DB', 'x'], ['FOO']]),
        ];
      case 11:
        return ['DBSIZE'];
      case 12:
        return [
          'KEYS',
          pick(['*', 'key:*', '?', '[a-c]', '[^a]', 'k*', '\\a', 'nothing', '[', 'a[', '*\xff']),
        ];
      case 13:
        return ['OBJECT', pick(['FREQ', 'FOO']), this.#key()];
      case 14:
        return [
          'SCAN',
          '0',
          ...pick([
            ['COUNT', '1000'],
            ['MATCH', 'key:*', 'COUNT', '1000'],
            ['COUNT', '0'],
            ['COUNT', 'x'],
            ['COUNT', '1000', 'TYPE', 'string'],
            ['COUNT', '1000', 'TYPE', 'list'],
            ['FOO', '1'],
            ['COUNT'],
          ]),
        ];
      default:
        return this.#chance(0.1)
          ? [pick(['FLUSHDB', 'FLUSHALL']), ...pick([[], ['SYNC'], ['ASYNC'], ['FOO']])]
          : ['PING', 'x'];
    }
  }

  #odd(): Argv {
    return this.#pick([
      ['PING'],
      ['PING', 'hello'],
      ['PING', 'a', 'b'],
      ['ECHO', 'x\0y'],
      ['ECHO'],
      ['SELECT', '0'],
      ['SELECT', 'x'],
      ['SELECT', '99'],
      ['NOSUCH', 'a', "b'c", 'x'.repeat(200)],
      ['nosuch\r\n'],
      ['GET'],
      ['GET', 'a', 'b'],
      ['SET', 'a'],
      ['MSET', 'a'],
      ['LCS', 'a'],
      ['CLIENT', 'GETNAME'],
      ['CLIENT', 'SETNAME', 'some body'],
      ['CLIENT', 'NOSUCH'],
      ['CLIENT', 'ID', 'x'],
      ['CLIENT'],
      ['OBJECT', 'ENCODING', 'a', 'b'],
      ['CONFIG', 'NOSUCH'],
      ['CONFIG', 'GET'],
      ['CONFIG', 'SET', 'nosuch', '1'],
      ['COMMAND', 'GETKEYS', 'MSET', 'a', '1', 'b', '2'],
      ['COMMAND', 'GETKEYS', 'PING'],
      ['COMMAND', 'GETKEYS', 'NOSUCH'],
      ['DISCARD'],
      ['EXEC'],
      ['UNWATCH'],
      ['WATCH'],
      ['SLOWLOG', 'NOSUCH'],
      ['WAIT', 'x', '0'],
      ['WAIT', '0', '-1'],
      ['SCAN', 'x'],
      ['SCAN', '18446744073709551616'],
      ['HELLO', '2'],
      ['HELLO', '3'],
      ['RESET'],
      ['HELLO', '4'],
      ['HELLO', 'x'],
      ['HELLO', '2', 'FOO'],
    ]);
  }

  #single(): Argv {
    const draw = this.#choice.integer(100);
    const argv = draw < 60 ? this.#string() : draw < 92 ? this.#keyCommand() : this.#odd();
    return [this.#case(argv[0] as string), ...argv.slice(1)];
  }

  /** What may stand in a transaction: nothing whose reply depends on order or on the moment. */
  #inTransaction(): Argv {
    for (;;) {
      const argv = this.#single();
      if (!/^(keys|scan|ttl|expiretime|multi|exec|discard|watch|hello|reset)$/i.test(argv[0] as string))
        return argv;
    }
  }

  /** One command, or a transaction with what belongs to it. */
  next(): Argv[] {
    if (!this.#chance(0.06)) return [this.#single()];
    const commands: Argv[] = [];
    if (this.#chance(0.5)) commands.push(['WATCH', ...this.#keys()]);
    if (this.#chance(0.3)) commands.push(this.#single());
    commands.push(['MULTI']);
    for (let count = this.#choice.integer(6); count > 0; count--) commands.push(this.#inTransaction());
    commands.push([this.#chance(0.15) ? 'DISCARD' : 'EXEC']);
    return commands;
  }
}
