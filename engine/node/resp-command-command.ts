// COMMAND and its subcommands: what clients ask to learn arity, flags and keys.
import type { ByteString } from '../protocol/command.ts';
import {
  arityFits,
  keyPositions,
  RESP_COMMANDS,
  type RespCommandSpec,
} from '../protocol/resp-command-table.ts';
import * as resp from '../protocol/resp-encode.ts';
import { RespGlob } from '../protocol/resp-glob.ts';
import { type LocalCommand, SYNTAX_ERROR } from './resp-command.ts';
import { family, type Subcommand } from './resp-subcommands.ts';

const GROUP_CATEGORIES: Readonly<Record<string, string>> = {
  string: '@string',
  generic: '@keyspace',
  connection: '@connection',
  transactions: '@transaction',
};

function categoriesOf({ flags, group }: RespCommandSpec): string[] {
  const categories = [];
  if (flags.includes('write')) categories.push('@write');
  if (flags.includes('readonly')) categories.push('@read');
  const ofGroup = GROUP_CATEGORIES[group];
  if (ofGroup !== undefined) categories.push(ofGroup);
  if (flags.includes('admin')) categories.push('@admin', '@dangerous');
  categories.push(flags.includes('fast') ? '@fast' : '@slow');
  return categories;
}

/** One range of keys, or none. */
function keySpecsOf(spec: RespCommandSpec, version: resp.RespVersion): ByteString {
  if (spec.firstKey === 0) return resp.set([], version);
  const flag = spec.flags.includes('write') ? 'RW' : 'RO';
  const lastKey = spec.lastKey < 0 ? spec.lastKey : spec.lastKey - spec.firstKey;
  const field = (name: string, value: ByteString): readonly [ByteString, ByteString] => [
    resp.bulk(name),
    value,
  ];
  const typed = (type: string, fields: readonly (readonly [ByteString, ByteString])[]): ByteString =>
    resp.map([field('type', resp.bulk(type)), field('spec', resp.map(fields, version))], version);
  const keySpec = resp.map(
    [
      field('flags', resp.set([resp.simple(flag)], version)),
      field('begin_search', typed('index', [field('index', resp.integer(spec.firstKey))])),
      field(
        'find_keys',
        typed('range', [
          field('lastkey', resp.integer(lastKey)),
          field('keystep', resp.integer(spec.keyStep)),
          field('limit', resp.integer(0)),
        ]),
      ),
    ],
    version,
  );
  return resp.set([keySpec], version);
}

function describe(spec: RespCommandSpec, version: resp.RespVersion): ByteString {
  return resp.array([
    resp.bulk(spec.name),
    resp.integer(spec.arity),
    resp.set(spec.flags.map(resp.simple), version),
    ...[spec.firstKey, spec.lastKey, spec.keyStep].map(resp.integer),
    resp.set(categoriesOf(spec).map(resp.simple), version),
    resp.set([], version),
    keySpecsOf(spec, version),
    resp.array(spec.subcommands.map((sub) => describe(sub, version))),
  ]);
}

function document(spec: RespCommandSpec, version: resp.RespVersion): ByteString {
  const pairs: [ByteString, ByteString][] = [
    [resp.bulk('summary'), resp.bulk(`${spec.summary}.`)],
    [resp.bulk('since'), resp.bulk(spec.since)],
    [resp.bulk('group'), resp.bulk(spec.group)],
  ];
  if (spec.subcommands.length > 0) {
    const subs = spec.subcommands.map((sub) => [resp.bulk(sub.name), document(sub, version)] as const);
    pairs.push([resp.bulk('subcommands'), resp.map(subs, version)]);
  }
  return resp.map(pairs, version);
}

/** `client`, or `client|id`. */
function find(name: ByteString): RespCommandSpec | undefined {
  const lower = name.toLowerCase();
  const parent = RESP_COMMANDS.get(lower.split('|')[0] ?? '');
  return lower.includes('|') ? parent?.subcommands.find((sub) => sub.name === lower) : parent;
}

const info: Subcommand = (argv, { version }) => {
  if (argv.length < 3) return resp.array([...RESP_COMMANDS.values()].map((spec) => describe(spec, version)));
  return resp.array(
    argv.slice(2).map((name) => {
      const spec = find(name);
      return spec === undefined ? resp.nullArray(version) : describe(spec, version);
    }),
  );
};

const docs: Subcommand = (argv, { version }) => {
  const specs = argv.length < 3 ? [...RESP_COMMANDS.values()] : argv.slice(2).map(find);
  const known = specs.filter((spec) => spec !== undefined);
  return resp.map(
    known.map((spec) => [resp.bulk(spec.name), document(spec, version)] as const),
    version,
  );
};

const list: Subcommand = (argv, { version }) => {
  let names = [...RESP_COMMANDS.values()].flatMap((spec) => [
    spec.name,
    ...spec.subcommands.map((sub) => sub.name),
  ]);
  if (argv.length > 2) {
    const [filter, kind, value] = [argv[2], argv[3], argv[4]].map((word) => word?.toLowerCase());
    if (filter !== 'filterby' || value === undefined || argv.length !== 5) return SYNTAX_ERROR;
    if (kind === 'pattern') {
      const glob = new RespGlob(value);
      names = names.filter((name) => glob.matches(name));
    } else if (kind === 'aclcat') {
      names = names.filter((name) => categoriesOf(find(name) as RespCommandSpec).includes(`@${value}`));
    } else if (kind === 'module') {
      names = [];
    } else {
      return SYNTAX_ERROR;
    }
  } else {
    names = names.filter((name) => !name.includes('|'));
  }
  return resp.set(names.map(resp.bulk), version);
};

const getKeys: Subcommand = (argv) => {
  const spec = find(argv[2] as string);
  if (spec === undefined) return resp.error('ERR Invalid command specified');
  const inner = argv.slice(2);
  if (!arityFits(spec, inner.length))
    return resp.error('ERR Invalid number of arguments specified for command');
  const positions = keyPositions(spec, inner.length);
  if (positions.length === 0) return resp.error('ERR The command has no key arguments');
  return resp.bulks(positions.map((at) => inner[at] as string));
};

export const COMMAND_COMMAND: Readonly<Record<string, LocalCommand>> = {
  command: family(
    'command',
    { count: () => resp.integer(RESP_COMMANDS.size), docs, getkeys: getKeys, info, list },
    (_argv, session) => info([], session),
  ),
};
