// The console's commands about keys, as data.
import type { ArgumentHelp, CommandHelp } from './console-command.ts';

export const SCAN_LIMIT_DEFAULT = 100;

const key: ArgumentHelp = { name: 'key', kind: 'text' };
const value: ArgumentHelp = { name: 'value', kind: 'text' };

export const KEY_COMMANDS: readonly CommandHelp[] = [
  {
    name: 'set',
    aliases: [],
    group: 'keys',
    arguments: [
      key,
      value,
      { name: '--ttl 5s', kind: 'text', optional: true },
      { name: '--keep-ttl', kind: 'choice', choices: ['--keep-ttl'], optional: true },
      { name: '--nx|--xx', kind: 'choice', choices: ['--nx', '--xx'], optional: true },
    ],
    summary:
      'Writes a value; answers once a majority has it on disk. --ttl: the key ends then; --nx: only if new; --xx: only if there.',
    examples: [
      'set greeting "hello world"',
      'set session:7 ada --ttl 30m',
      'set lock me --nx --ttl 10s',
      `set user:1 '{"name": "Ada"}'`,
    ],
  },
  {
    name: 'get',
    aliases: [],
    group: 'keys',
    arguments: [key],
    summary: 'Reads a value; linearizable: never older than any write acknowledged before.',
    examples: ['get greeting'],
  },
  {
    name: 'delete',
    aliases: ['del'],
    group: 'keys',
    arguments: [{ ...key, repeated: true }],
    summary: 'Deletes keys, one log entry each.',
    examples: ['delete greeting', 'del a b c'],
  },
  {
    name: 'bulk-set',
    aliases: ['bulk_set', 'mset'],
    group: 'keys',
    arguments: [{ name: 'key=value', kind: 'text', repeated: true }],
    summary: 'Writes several keys as one log entry: all or nothing.',
    examples: ['bulk-set a=1 b=2 c="three words here"'],
  },
  {
    name: 'incr',
    aliases: [],
    group: 'keys',
    arguments: [key, { name: 'by', kind: 'number', optional: true }],
    summary: 'Adds to a whole number; a missing key counts as 0.',
    examples: ['incr visits', 'incr visits 10', 'incr stock -1'],
  },
  {
    name: 'cas',
    aliases: [],
    group: 'keys',
    arguments: [key, { name: 'expected|nil', kind: 'text' }, { name: 'new', kind: 'text' }],
    summary: 'Writes only if the value is the expected one; nil: only if there is none.',
    examples: ['cas lock nil me', 'cas lock me you'],
  },
  {
    name: 'scan',
    aliases: [],
    group: 'keys',
    arguments: [
      { name: 'prefix', kind: 'text', optional: true },
      { name: '--limit n', kind: 'text', optional: true },
    ],
    summary: `Lists keys and values in byte order, ${SCAN_LIMIT_DEFAULT} unless told.`,
    examples: ['scan', 'scan user: --limit 10'],
  },
  {
    name: 'ping',
    aliases: [],
    group: 'keys',
    arguments: [],
    summary: 'Asks whether the cluster answers its clients.',
    examples: ['ping'],
  },
  {
    name: 'ttl',
    aliases: [],
    group: 'keys',
    arguments: [key],
    summary: 'Shows how long a key has left.',
    examples: ['ttl session:7'],
  },
  {
    name: 'expire',
    aliases: [],
    group: 'keys',
    arguments: [key, { name: 'duration', kind: 'text' }],
    summary: 'Lets a key end after a while: 500ms, 30s, 5m, 2h, 7d.',
    examples: ['expire session:7 30s'],
  },
  {
    name: 'persist',
    aliases: [],
    group: 'keys',
    arguments: [key],
    summary: 'Takes the end of a key away: it stays.',
    examples: ['persist session:7'],
  },
  {
    name: 'txn',
    aliases: ['transaction'],
    group: 'keys',
    arguments: [{ name: 'if conditions then operations else operations', kind: 'text', repeated: true }],
    summary:
      'Does one list of operations or the other, all in one log entry. Conditions are joined by and: k = v, k != v, k < v, k > v, k exists, k missing, k revision = 12; operations by a semicolon.',
    examples: [
      'txn if lock missing then set lock me --ttl 30s; incr holders else get lock',
      'txn if a = 1 and b exists then set a 2; delete b',
      'txn then incr x; incr y',
    ],
  },
  {
    name: 'watch',
    aliases: [],
    group: 'keys',
    arguments: [
      { name: 'prefix', kind: 'text', optional: true },
      { name: '--key k', kind: 'text', optional: true },
      { name: '--from revision', kind: 'text', optional: true },
    ],
    summary: 'Shows every change of keys as it is committed, in order, until unwatch.',
    examples: ['watch', 'watch user:', 'watch --key greeting', 'watch user: --from 120'],
  },
  {
    name: 'unwatch',
    aliases: [],
    group: 'keys',
    arguments: [{ name: 'number', kind: 'number', optional: true }],
    summary: 'Ends a watch, or all of them.',
    examples: ['unwatch', 'unwatch 2'],
  },
];
