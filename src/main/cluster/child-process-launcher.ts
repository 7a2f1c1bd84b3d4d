// Nodes as plain Node.js child processes: for the browser host and for tests.
import { fork } from 'node:child_process';
import type { NodeLauncher } from './node-launcher.ts';
import { isNodeMessage } from './node-launcher.ts';
import { finishTask } from './node-task.ts';
import { logProcess } from './process-log.ts';

export interface ChildProcessLauncherOptions {
  /** The node's entry: a JavaScript file. */
  entryPath: string;
}

export function createChildProcessLauncher({ entryPath }: ChildProcessLauncherOptions): NodeLauncher {
  return {
    runTask(args) {
      const child = fork(entryPath, [...args], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
      return finishTask({ out: child.stdout, error: child.stderr }, (onExit) => {
        child.on('exit', (code) => onExit(code ?? -1));
        child.on('error', () => onExit(-1));
      });
    },
    launch({ settings, logPath, listener }) {
      const child = fork(entryPath, ['--config', JSON.stringify(settings)], {
        execArgv: [],
        // Plain data both ways, as through Electron's port; JSON would lose nothing but is slower.
        serialization: 'advanced',
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      const log = logProcess(logPath, { out: child.stdout, error: child.stderr });
      let ended = false;
      const end = (code: number | null, signal: string | null, message = '') => {
        if (ended) return;
        ended = true;
        log.close();
        listener.onExit({ code, signal, errorTail: [log.tail(), message].filter(Boolean).join('\n') });
      };
      child.on('spawn', () => listener.onSpawned(child.pid ?? 0));
      child.on('message', (message) => {
        if (!ended && isNodeMessage(message)) listener.onMessage(message);
      });
      // `exit`, not `close`: the streams may stay open in a grandchild, and a death must be known at once.
      child.on('exit', (code, signal) => end(code, signal));
      child.on('error', (error) => {
        if (child.pid === undefined) end(null, null, error.message);
      });
      return {
        send(message) {
          // A process that dies meanwhile is told by its exit, not by a failed send.
          if (!ended && child.connected) child.send(message, () => undefined);
        },
      };
    },
  };
}
