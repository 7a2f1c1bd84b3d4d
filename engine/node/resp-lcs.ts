// LCS: the longest common subsequence of two values, and where it stands in them.
import type { ByteString } from '../protocol/command.ts';
import * as resp from '../protocol/resp-encode.ts';
import { NOT_INTEGER, type ReadCommand, type Refusal, SYNTAX_ERROR, unexpected } from './resp-command.ts';
import { parseWhole } from './resp-numbers.ts';

/** Cells of the table: what is more would hold the node up for seconds. Redis allows as much as memory does. */
const CELLS_MAX = 64 * 1024 * 1024;

interface Match {
  left: [number, number];
  right: [number, number];
}

interface Options {
  wantsLength: boolean;
  wantsIndexes: boolean;
  withMatchLength: boolean;
  matchLengthMin: number;
}

function parseOptions(argv: readonly ByteString[]): Options | Refusal {
  const options = { wantsLength: false, wantsIndexes: false, withMatchLength: false, matchLengthMin: 0 };
  for (let at = 3; at < argv.length; at++) {
    const option = (argv[at] as string).toUpperCase();
    if (option === 'LEN') options.wantsLength = true;
    else if (option === 'IDX') options.wantsIndexes = true;
    else if (option === 'WITHMATCHLEN') options.withMatchLength = true;
    else if (option === 'MINMATCHLEN' && at + 1 < argv.length) {
      const least = parseWhole(argv[++at] as string);
      if (least === null) return NOT_INTEGER;
      options.matchLengthMin = Math.max(0, least);
    } else return SYNTAX_ERROR;
  }
  if (options.wantsLength && options.wantsIndexes) {
    return resp.error('ERR If you want both the length and indexes, please just use IDX.');
  }
  return options;
}

/** Lengths of the longest common subsequences of all prefixes, row by row. */
function lengthsOf(left: ByteString, right: ByteString): Uint32Array {
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  for (let i = 1; i <= left.length; i++) {
    const character = left.charCodeAt(i - 1);
    for (let j = 1; j <= right.length; j++) {
      const at = i * width + j;
      if (character === right.charCodeAt(j - 1)) lengths[at] = (lengths[at - width - 1] as number) + 1;
      else lengths[at] = Math.max(lengths[at - width] as number, lengths[at - 1] as number);
    }
  }
  return lengths;
}

/** From the end to the beginning; where several paths are as long, Redis's choice. */
function trace(
  left: ByteString,
  right: ByteString,
  lengths: Uint32Array,
): { text: ByteString; matches: Match[] } {
  const width = right.length + 1;
  const matches: Match[] = [];
  const picked: string[] = [];
  let i = left.length;
  let j = right.length;
  let open: Match | null = null;
  while (i > 0 && j > 0) {
    if (left[i - 1] === right[j - 1]) {
      picked.push(left[i - 1] as string);
      if (open !== null && open.left[0] === i && open.right[0] === j) {
        open.left[0] = i - 1;
        open.right[0] = j - 1;
      } else {
        open = { left: [i - 1, i - 1], right: [j - 1, j - 1] };
        matches.push(open);
      }
      i--;
      j--;
    } else if ((lengths[(i - 1) * width + j] as number) > (lengths[i * width + j - 1] as number)) {
      i--;
    } else {
      j--;
    }
  }
  return { text: picked.reverse().join(''), matches };
}

function matchReply({ left, right }: Match, withLength: boolean): ByteString {
  const ends = (range: [number, number]): ByteString => resp.array(range.map((end) => resp.integer(end)));
  const parts = [ends(left), ends(right)];
  if (withLength) parts.push(resp.integer(left[1] - left[0] + 1));
  return resp.array(parts);
}

export const lcsCommand: ReadCommand = {
  kind: 'read',
  operation(argv) {
    const options = parseOptions(argv);
    if (typeof options === 'string') return options;
    return { type: 'getMany', keys: [argv[1] as string, argv[2] as string] };
  },
  reply(result, argv, { version }) {
    const options = parseOptions(argv);
    if (typeof options === 'string') return options;
    if (result.type !== 'values') return unexpected(result);
    const left = result.values[0]?.value ?? '';
    const right = result.values[1]?.value ?? '';
    if ((left.length + 1) * (right.length + 1) > CELLS_MAX) {
      return resp.error(`ERR the values are too long for LCS: their lengths' product is over ${CELLS_MAX}`);
    }
    const lengths = lengthsOf(left, right);
    const length = lengths[lengths.length - 1] as number;
    if (options.wantsLength) return resp.integer(length);
    const { text, matches } = trace(left, right, lengths);
    if (!options.wantsIndexes) return resp.bulk(text);
    const wanted = matches.filter(({ left: [start, end] }) => end - start + 1 >= options.matchLengthMin);
    return resp.map(
      [
        [resp.bulk('matches'), resp.array(wanted.map((match) => matchReply(match, options.withMatchLength)))],
        [resp.bulk('len'), resp.integer(length)],
      ],
      version,
    );
  },
};
