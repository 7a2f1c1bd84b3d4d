// The range of entries that a repair would lose, as people write it: `41..97`, both ends included.
import { InvalidArgumentError } from 'commander';

/** Half open, as everywhere inside. */
export interface HalfOpenRange {
  from: number;
  to: number;
}

export function indexRange({ from, to }: HalfOpenRange): string {
  return `${from}..${to - 1}`;
}

/** Throws InvalidArgumentError for anything but `first..last`. */
export function parseIndexRange(text: string): HalfOpenRange {
  const [, first, last] = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text) ?? [];
  if (first === undefined || last === undefined || Number(first) < 1 || Number(first) > Number(last))
    throw new InvalidArgumentError('write first..last, as in 41..97');
  return { from: Number(first), to: Number(last) + 1 };
}

/** The command line to type, with the folder quoted where a shell needs it. */
export function repairCommand(folder: string, lost?: HalfOpenRange): string {
  const quoted = /^[\w@%+=:,./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", "'\\''")}'`;
  return `quorumlab wal repair ${quoted}${lost === undefined ? '' : ` --accept-loss-of ${indexRange(lost)}`}`;
}
