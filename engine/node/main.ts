// The entry of a node process: configuration in, a node that obeys its parent, an exit code out. With
// --corrupt-record JSON it only damages a folder, as the fault lab asks.
import { CONTROL_VERSION, ExitCode, type ParentMessage } from '../protocol/control.ts';
import { type ControlChannel, openControlChannel } from './control-channel.ts';
import { corruptFolder } from './corrupt-folder.ts';
import { installHostCodecs } from './host-codecs.ts';
import { type RunningNode, startNode } from './node.ts';
import { ActionRefused } from './node-actions.ts';
import { parseNodeConfig } from './node-config.ts';

/** What was sent to the parent needs a moment to leave. */
const EXIT_GRACE_MS = 20;

function readConfig(): unknown {
  const flag = process.argv.indexOf('--config');
  const text = flag === -1 ? process.env.QUORUMLAB_NODE_CONFIG : process.argv[flag + 1];
  if (text === undefined)
    throw new Error('no configuration: pass --config JSON or set QUORUMLAB_NODE_CONFIG');
  return JSON.parse(text);
}

function say(level: 'info' | 'warn', fields: object, message: string): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...fields })}\n`);
}

function fail(code: number, message: string): void {
  say('warn', {}, message);
  process.exitCode = code;
  setTimeout(() => process.exit(code), EXIT_GRACE_MS);
}

/**
 * After an orderly stop. `process.exit` waits for every file operation under way, so a process whose disk hangs
 * would stay for ever: nothing that is still under way there was acknowledged. [W11]
 */
function endStopped(node: RunningNode): void {
  if (node.diskHangs) process.kill(process.pid, 'SIGKILL');
  process.exit(ExitCode.stopped);
}

function obey(node: RunningNode, channel: ControlChannel): void {
  let statusTimer: NodeJS.Timeout | null = null;
  const setStatusInterval = (intervalMs: number): void => {
    if (statusTimer !== null) clearInterval(statusTimer);
    statusTimer = null;
    if (intervalMs === 0) return;
    statusTimer = setInterval(
      () => channel.send({ type: 'status', status: node.status() }),
      Math.max(20, intervalMs),
    );
  };
  const carryOut = async (message: ParentMessage): Promise<void> => {
    if (message.type === 'setFaults') node.setFaults(message.faults);
    else if (message.type === 'act') await node.act(message.action);
    else if (message.type === 'setStatusInterval') setStatusInterval(message.intervalMs);
    else await node.stop('asked by its parent');
  };
  channel.onMessage((message) => {
    carryOut(message).then(
      () => {
        channel.send({ type: 'done', requestId: message.requestId });
        if (message.type === 'stop') setTimeout(() => endStopped(node), EXIT_GRACE_MS);
      },
      (error: unknown) => {
        if (!(error instanceof ActionRefused)) throw error;
        channel.send({ type: 'refused', requestId: message.requestId, message: error.message });
      },
    );
  });
  setStatusInterval(node.config.statusIntervalMs);
  const { nodeId } = node.config;
  const { clientAddress, peerAddress } = node;
  channel.send({
    type: 'ready',
    version: CONTROL_VERSION,
    nodeId,
    pid: process.pid,
    clientAddress,
    peerAddress,
  });
}

/** What was damaged, as one line of JSON on standard output. */
async function damage(request: string): Promise<void> {
  const record = await corruptFolder(request);
  process.stdout.write(`${JSON.stringify(record)}\n`, () => process.exit(ExitCode.stopped));
}

async function main(): Promise<void> {
  const damageFlag = process.argv.indexOf('--corrupt-record');
  if (damageFlag !== -1) return damage(process.argv[damageFlag + 1] ?? '');
  installHostCodecs();
  const channel = openControlChannel();
  // A parent that is gone, however it went, must leave nothing behind, not even a process that waits for a hung
  // disk. Nobody reads an exit code any more, and everything that was acknowledged is synced.
  channel?.onGone(() => process.kill(process.pid, 'SIGKILL'));
  const node = await startNode(parseNodeConfig(readConfig()), {
    events: (events) => channel?.send({ type: 'events', events }),
    fatal: fail,
    log: {
      info: (fields, message) => say('info', fields, message),
      warn: (fields, message) => say('warn', fields, message),
    },
  });
  if (channel !== null) obey(node, channel);
  const stop = (signal: NodeJS.Signals): void => {
    node.stop(signal).then(
      () => endStopped(node),
      (error: unknown) => fail(ExitCode.programmerError, String(error)),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

process.on('uncaughtException', (error) => {
  say('warn', { stack: error.stack }, `stopped by a programmer's error: ${error.message}`);
  process.exit(ExitCode.programmerError);
});

main().catch((error: unknown) => {
  fail(ExitCode.badConfiguration, error instanceof Error ? error.message : String(error));
});
