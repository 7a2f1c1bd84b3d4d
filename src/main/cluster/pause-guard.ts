// A paused node cannot notice that its panel died. So each pause has a tiny shell that waits for the end of a
// pipe from the panel: when the panel dies in any way, SIGKILL included, it wakes the node, which then finds
// its parent gone and exits by itself.
import { spawn } from 'node:child_process';

export interface PauseGuard {
  /** The node was resumed or is dead: its pid must not be touched any more. */
  release(): void;
}

/** POSIX only, as SIGSTOP is. */
export function guardPausedProcess(pid: number): PauseGuard {
  // Detached: a Ctrl-C or SIGKILL for the panel's process group must not take the guard along.
  const shell = spawn('/bin/sh', ['-c', 'read line || kill -CONT "$0"', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return {
    release: () => {
      // A line, not an end of file: `read` succeeds, and nothing is sent to the pid.
      shell.stdin.end('released\n');
    },
  };
}
