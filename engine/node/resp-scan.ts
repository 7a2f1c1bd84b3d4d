// SCAN: pages in key order. Clients expect a cursor to be a number, so a node remembers which key it stands for.
// A cursor that this node does not know (it has forgotten it, or a client brings it from another node) begins
// anew: keys may then come twice, as Redis allows, and whatever is there all the time still comes.
import type { ByteString, OperationResult } from '../protocol/command.ts';
import * as resp from '../protocol/resp-encode.ts';
import { RespGlob } from '../protocol/resp-glob.ts';
import { NOT_INTEGER, type ReadCommand, type Refusal, SYNTAX_ERROR, unexpected } from './resp-command.ts';
import { parseWhole } from './resp-numbers.ts';

const CURSORS_MAX = 10_000;
const CURSOR_KEY_BYTES_MAX = 16 * 1024 * 1024;
/** Every number up to here is exact as a double: some clients parse cursors into one. */
const CURSOR_END = 2 ** 53;
const COUNT_DEFAULT = 10;
const COUNT_MAX = 0xffff_ffff;

/** The latest cursors that this node gave out. */
export class ScanCursors {
  readonly #keys = new Map<string, ByteString>();
  #bytes = 0;

  /** A number that stands for the key behind which the next page begins. */
  add(key: ByteString): string {
    // Drawn at random, so that one node's cursor means nothing to another rather than something else.
    const cursor = String(1 + Math.floor(Math.random() * (CURSOR_END - 1)));
    this.#keys.set(cursor, key);
    this.#bytes += key.length;
    for (const [oldest, { length }] of this.#keys) {
      if (this.#keys.size <= CURSORS_MAX && this.#bytes <= CURSOR_KEY_BYTES_MAX) break;
      this.#keys.delete(oldest);
      this.#bytes -= length;
    }
    return cursor;
  }

  /** Null: from the beginning. */
  find(cursor: string): ByteString | null {
    return this.#keys.get(cursor) ?? null;
  }
}

interface ScanOptions {
  glob: RespGlob | null;
  count: number;
  /** Null: any. */
  type: string | null;
}

function parseOptions(argv: readonly ByteString[]): ScanOptions | Refusal {
  const options: ScanOptions = { glob: null, count: COUNT_DEFAULT, type: null };
  for (let at = 2; at < argv.length; at += 2) {
    const option = (argv[at] as string).toUpperCase();
    const value = argv[at + 1];
    if (value === undefined) return SYNTAX_ERROR;
    if (option === 'MATCH') {
      options.glob = new RespGlob(value);
    } else if (option === 'TYPE') {
      options.type = value.toLowerCase();
    } else if (option === 'COUNT') {
      const count = parseWhole(value);
      if (count === null) return NOT_INTEGER;
      if (count < 1) return SYNTAX_ERROR;
      options.count = Math.min(count, COUNT_MAX);
    } else {
      return SYNTAX_ERROR;
    }
  }
  return options;
}

function isCursor(text: ByteString): boolean {
  return /^-?[0-9]{1,20}$/.test(text) && BigInt(text) < 2n ** 64n;
}

function reply(result: OperationResult, argv: readonly ByteString[], cursors: ScanCursors): ByteString {
  const options = parseOptions(argv);
  if (typeof options === 'string') return options;
  if (result.type !== 'keys') return unexpected(result);
  const { glob, type } = options;
  let { keys } = result;
  if (glob !== null && !glob.isEverything) keys = keys.filter((key) => glob.matches(key));
  if (type !== null && type !== 'string') keys = [];
  const cursor = result.next === null ? '0' : cursors.add(result.next);
  return resp.array([resp.bulk(cursor), resp.bulks(keys)]);
}

export const scanCommand: ReadCommand = {
  kind: 'read',
  operation(argv, session) {
    const cursor = argv[1] as string;
    if (!isCursor(cursor)) return resp.error('ERR invalid cursor');
    const options = parseOptions(argv);
    if (typeof options === 'string') return options;
    const prefix = options.glob?.prefix ?? '';
    const after = session.node.cursors.find(cursor);
    return { type: 'keys', range: { prefix, start: '', end: null, after, limit: options.count } };
  },
  reply: (result, argv, session) => reply(result, argv, session.node.cursors),
};
