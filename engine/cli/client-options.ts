// Options that every command with a client has: where the nodes are, how long it may take, what is printed.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Client, createClient, type WriteOptions } from '../client/client.ts';
import { splitAddress } from '../client/node-link.ts';
import { isUuid } from '../client/session-lanes.ts';
import { UsageError } from './exit-code.ts';

export const ENDPOINTS_DEFAULT = '127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003';

export interface CommonFlags {
  endpoints: readonly string[];
  deadline: number;
  json?: true;
}

export interface WriteFlags extends CommonFlags {
  client?: string;
  seq?: number;
}

export interface ReadFlags extends CommonFlags {
  stale?: true;
}

export function parseEndpoints(text: string): string[] {
  const endpoints = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => (/^\d+$/.test(each) ? `127.0.0.1:${each}` : each));
  if (endpoints.length === 0) throw new InvalidArgumentError('write host:port,host:port,…');
  for (const endpoint of endpoints) {
    try {
      splitAddress(endpoint);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  }
  return endpoints;
}

/** A parser for an integer in a range, both ends included. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw new InvalidArgumentError(`it must be an integer ${range}`);
    }
    return value;
  };
}

export function withClientOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-e, --endpoints <addresses>',
        'client ports of the nodes: host:port, or a port on this machine',
      )
        .env('QUORUMLAB_ENDPOINTS')
        .default(parseEndpoints(ENDPOINTS_DEFAULT), ENDPOINTS_DEFAULT)
        .argParser(parseEndpoints),
    )
    .option('-d, --deadline <ms>', 'how long it may take, retries included', integer(1, 3_600_000), 5_000)
    .option('--json', 'print exactly one line of JSON');
}

export function withReadOptions(command: Command): Command {
  return withClientOptions(command).option(
    '--stale',
    'let any node answer from what it has: fast, works without a leader, may be old',
  );
}

export function withWriteOptions(command: Command): Command {
  return withClientOptions(command)
    .option(
      '--client <uuid>',
      'identity of the write: repeated with the same --client and --seq, it applies once',
    )
    .option('--seq <n>', 'sequence of the write; rises with each write of one --client', integer(1));
}

/** Runs `use` with a client and closes it, whatever happens. */
export async function withClient<T>(flags: CommonFlags, use: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient({
    addresses: flags.endpoints,
    deadlineMs: flags.deadline,
    password: process.env.QUORUMLAB_PASSWORD || undefined,
  });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

export function writeOptions(flags: WriteFlags): WriteOptions {
  const { client, seq } = flags;
  if (client === undefined && seq === undefined) return {};
  if (client === undefined || seq === undefined) throw new UsageError('--client and --seq belong together');
  if (!isUuid(client)) throw new UsageError(`--client: "${client}" is no UUID`);
  return { session: { client, seq } };
}
