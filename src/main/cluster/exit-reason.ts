// Why a node's process ended, in words a person can act on.
import type { ExitCode } from '../../../engine/protocol/control.ts';
import type { ProcessEnd } from './node-launcher.ts';

type KnownCode = (typeof ExitCode)[keyof typeof ExitCode];

const CODE_WORDS: Record<KnownCode, string> = {
  0: 'stopped',
  2: 'its configuration, port or folder is unusable',
  70: 'an assertion did not hold (a bug: please report it)',
  74: 'its disk failed: a write or sync returned an error, and nothing after it was acknowledged',
  75: 'power cut: what was not synced is lost',
};

const SIGNAL_WORDS: Record<string, string> = {
  SIGKILL: 'killed by SIGKILL',
  SIGTERM: 'ended by SIGTERM',
  SIGSEGV: 'crashed (SIGSEGV)',
  SIGABRT: 'aborted (SIGABRT), often for lack of memory',
};

/** One line, without a full stop. */
export function exitReason({ code, signal, errorTail }: ProcessEnd): string {
  if (signal !== null) return SIGNAL_WORDS[signal] ?? `ended by ${signal}`;
  const lastLine = lastErrorLine(errorTail);
  if (code === null) return `could not be started: ${lastLine || 'no reason given'}`;
  const words = isKnownCode(code) ? CODE_WORDS[code] : `exited with code ${code}`;
  return code === 0 || code === 75 || lastLine === '' ? words : `${words}: ${lastLine}`;
}

function isKnownCode(code: number): code is KnownCode {
  return Object.hasOwn(CODE_WORDS, code);
}

/** The message of the last log line, be it JSON or text. */
function lastErrorLine(errorTail: string): string {
  const line = errorTail.split('\n').findLast((text) => text.trim() !== '') ?? '';
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record === 'object' && record !== null && 'message' in record) return String(record.message);
  } catch {
    // Plain text.
  }
  return line.trim().slice(0, 300);
}
