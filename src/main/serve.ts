// The browser host: the same panel as the desktop app, served to a browser on this machine. Nodes are plain
// child processes. For machines without a display or an Electron runtime.
import { parseArgs } from 'node:util';
import { createChildProcessLauncher } from './cluster/child-process-launcher.ts';
import { createPanelHost, type PanelHost } from './cluster/panel-host.ts';
import { type PanelServer, startPanelServer } from './panel-server.ts';
import { clusterDirIn, defaultDataDir, programFiles, readVersion, wantsAnyPorts } from './program.ts';

const USAGE = `Usage: npm run serve -- [options]

Serves the Quorumlab panel with three Raft nodes to a browser on this machine.

  --port PORT      listen on this port; 0: any free one (default 7080, or any when it is taken)
  --data-dir DIR   keep the cluster in DIR (default: QUORUMLAB_DATA_DIR, or the user's application data)
  --ephemeral      keep it in a temporary folder that is removed at the end
  --json           print one line of JSON instead of text: {"url", "pid", "dataDir"}
  --help           print this

Ctrl-C stops the nodes and ends it; a second Ctrl-C kills them.
`;

const EXIT_USAGE = 2;
const EXIT_FAILED = 1;

interface Flags {
  port: number | null;
  dataDir: string | null;
  json: boolean;
}

/** Ends the process for --help and for flags that make no sense. */
function readFlags(): Flags {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string' },
        'data-dir': { type: 'string' },
        ephemeral: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    if (values.ephemeral && values['data-dir'] !== undefined) {
      throw new Error('--ephemeral and --data-dir exclude each other');
    }
    const dataDir = values.ephemeral ? null : clusterDirIn(values['data-dir'] ?? defaultDataDir());
    return { port: portOf(values.port), dataDir, json: values.json };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(EXIT_USAGE);
  }
}

function portOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new Error(`--port ${text} is not a port: give a number from 0 to 65535`);
  return port;
}

function stopOnSignals(host: PanelHost, server: PanelServer): void {
  let asked = 0;
  const stop = async (signal: string) => {
    asked += 1;
    if (asked > 1) process.exit(EXIT_FAILED);
    if (signal === 'SIGINT') process.stderr.write('\nStopping the nodes …\n');
    server.close();
    await host.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(signal));
  // However this process ends, its nodes end with it; each also watches for that by itself.
  process.on('exit', () => host.killNow());
}

async function main(): Promise<void> {
  const flags = readFlags();
  const files = programFiles(import.meta.dirname);
  const host = await createPanelHost({
    launcher: createChildProcessLauncher({ entryPath: files.nodeEntry }),
    dataDir: flags.dataDir,
    host: 'browser',
    version: readVersion(files.packageFile),
    anyPorts: wantsAnyPorts(),
    runtime: `Node.js ${process.versions.node}`,
  });
  try {
    const server = await startPanelServer({ host, rendererDir: files.rendererDir, port: flags.port });
    stopOnSignals(host, server);
    const { dataDir, ephemeral } = host.info;
    if (flags.json) {
      process.stdout.write(`${JSON.stringify({ url: server.url, pid: process.pid, dataDir })}\n`);
    } else {
      process.stdout.write(`Quorumlab panel: ${server.url}\n`);
      process.stdout.write(`Data: ${dataDir}${ephemeral ? ' (removed at the end)' : ''} · Ctrl-C stops\n`);
    }
  } catch (error) {
    await host.close();
    throw error;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(EXIT_FAILED);
});
