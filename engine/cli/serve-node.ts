// One node in this process, from its start to the signal that stops it.
import pc from 'picocolors';
import { installHostCodecs } from '../node/host-codecs.ts';
import { startNode } from '../node/node.ts';
import { ConfigError, type NodeConfig, type NodeConfigInput, parseNodeConfig } from '../node/node-config.ts';
import { describeEvent } from './event-text.ts';
import { CliExitCode, UsageError } from './exit-code.ts';
import { printJson, printLine, remark } from './terminal.ts';

/** Runs until a signal asks it to stop. Throws a UsageError when settings, ports or folder are unusable. */
export async function serveNode(input: NodeConfigInput, flags: { json: boolean }): Promise<void> {
  const config = checked(input);
  installHostCodecs();
  const say = (text: string, at = Date.now()): void => {
    if (!flags.json) printLine(`${pc.dim(new Date(at).toISOString().slice(11, 23))}  ${text}`);
  };
  const node = await startNode(config, {
    events: (events) => {
      for (const { at, event } of events) {
        const text = describeEvent(event);
        if (text !== null) say(text, at);
      }
    },
    fatal: (code, message) => {
      remark(message);
      // The ports are shut; what was said needs a moment to leave.
      setTimeout(() => process.exit(code), 20);
    },
    log: { info: () => {}, warn: (_fields, message) => remark(message) },
  }).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  });
  const { clientAddress: client, peerAddress: peer } = node;
  if (flags.json) printJson({ id: config.nodeId, pid: process.pid, client, peer });
  else
    printLine(
      `n${config.nodeId} is up: clients ${client}, peers ${peer}, data ${config.dataDir}. Stop: Ctrl-C`,
    );
  const signal = await stopSignal();
  if (!flags.json) remark('stopping …');
  await node.stop(signal);
  process.exitCode = CliExitCode.ok;
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
}

function checked(input: NodeConfigInput): NodeConfig {
  try {
    return parseNodeConfig(input);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}
