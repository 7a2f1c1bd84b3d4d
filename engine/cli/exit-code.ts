// How the command line ends: the meaning of its exit codes, and the errors that lead to them.
import { ClientError } from '../client/client-error.ts';

export const CliExitCode = {
  ok: 0,
  /** The answer is no: the key is not there, the value was another one, nobody leads. */
  negative: 1,
  /** A flag, an argument or a file makes no sense; nothing was done. */
  usage: 2,
  /** No node could serve it; nothing was done. */
  unavailable: 3,
  /** The write may have happened. */
  unknown: 4,
  /** A bug in this program. */
  internal: 70,
} as const;

export const EXIT_CODES_HELP = `
Exit codes:
  0  done, and the answer is yes
  1  the answer is no: no such key, another value, nobody leads
  2  the command makes no sense, or a node refused it as wrong; nothing was done
  3  no node could serve it in time; nothing was done
  4  the reply was lost: the write may have happened`;

/** The command was used wrongly. The message says how it is used rightly. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** It could not be done, and nothing was. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

export interface ErrorReport {
  exitCode: number;
  code: string;
  message: string;
  outcome: 'definite' | 'unknown';
}

const WRONG_REQUESTS: ReadonlySet<string> = new Set([
  'INVALID_ARGUMENT',
  'INVALID_JSON',
  'TOO_LARGE',
  'UNKNOWN_COMMAND',
]);

/** What to tell and how to end, for anything that was thrown. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof UsageError) {
    return { exitCode: CliExitCode.usage, code: 'USAGE', message: error.message, outcome: 'definite' };
  }
  if (error instanceof UnavailableError) {
    return {
      exitCode: CliExitCode.unavailable,
      code: 'UNAVAILABLE',
      message: error.message,
      outcome: 'definite',
    };
  }
  if (error instanceof ClientError) {
    const { code, message, outcome } = error;
    if (outcome === 'unknown') return { exitCode: CliExitCode.unknown, code, message, outcome };
    const exitCode = WRONG_REQUESTS.has(code) ? CliExitCode.usage : CliExitCode.unavailable;
    return { exitCode, code, message, outcome };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: CliExitCode.internal, code: 'INTERNAL', message, outcome: 'definite' };
}
