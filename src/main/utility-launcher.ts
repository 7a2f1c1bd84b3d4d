// Nodes as Electron utility processes. Desktop only: the other host uses cluster/child-process-launcher.ts.
import { utilityProcess } from 'electron';
import type { NodeLauncher, ProcessEnd } from './cluster/node-launcher.ts';
import { isNodeMessage } from './cluster/node-launcher.ts';
import { finishTask } from './cluster/node-task.ts';
import { logProcess } from './cluster/process-log.ts';

export function createUtilityLauncher({ entryPath }: { entryPath: string }): NodeLauncher {
  return {
    runTask(args) {
      const child = utilityProcess.fork(entryPath, [...args], {
        serviceName: 'quorumlab task',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return finishTask({ out: child.stdout, error: child.stderr }, (onExit) => child.on('exit', onExit));
    },
    launch({ settings, logPath, listener }) {
      const child = utilityProcess.fork(entryPath, ['--config', JSON.stringify(settings)], {
        serviceName: `quorumlab n${settings.nodeId}`,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const log = logProcess(logPath, { out: child.stdout, error: child.stderr });
      let ended = false;
      child.on('spawn', () => listener.onSpawned(child.pid ?? 0));
      child.on('message', (message: unknown) => {
        if (!ended && isNodeMessage(message)) listener.onMessage(message);
      });
      child.on('exit', (code) => {
        ended = true;
        log.close();
        listener.onExit({ ...endOf(code), errorTail: log.tail() });
      });
      return {
        send(message) {
          if (!ended) child.postMessage(message);
        },
      };
    },
  };
}

/** On POSIX a process that a signal ended has the signal's number as its code; our own codes are none of these. */
const SIGNALS: ReadonlyMap<number, string> = new Map([
  [6, 'SIGABRT'],
  [9, 'SIGKILL'],
  [11, 'SIGSEGV'],
  [15, 'SIGTERM'],
]);

function endOf(code: number): Pick<ProcessEnd, 'code' | 'signal'> {
  const signal = process.platform === 'win32' ? undefined : SIGNALS.get(code);
  return signal === undefined ? { code, signal: null } : { code: null, signal };
}
