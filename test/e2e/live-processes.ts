// Which processes live, asked of the operating system and of nobody else.
import { execFileSync } from 'node:child_process';

interface LiveProcess {
  pid: number;
  args: string;
}

/** Without zombies: those have ended and wait for a parent to notice. */
function liveProcesses(): LiveProcess[] {
  const table = execFileSync('ps', ['-ww', '-eo', 'pid=,stat=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, state, args] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined || state?.startsWith('Z') ? [] : [{ pid: Number(pid), args: args ?? '' }];
  });
}

export function livePids(pids: readonly number[]): number[] {
  const live = new Set(liveProcesses().map(({ pid }) => pid));
  return pids.filter((pid) => live.has(pid));
}

/** Command lines that name the folder: of an app and of all its helpers. */
export function processesOn(folder: string): string[] {
  return liveProcesses()
    .filter(({ args }) => args.includes(folder))
    .map(({ args }) => args);
}
