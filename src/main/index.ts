// The desktop app: one sandboxed window over a panel host whose nodes are utility processes.
// Wires only; what the panel does is in cluster/panel-host.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { app, type BrowserWindow, dialog } from 'electron';
import { createPanelHost, type PanelHost } from './cluster/panel-host.ts';
import { installMenu } from './desktop-menu.ts';
import {
  createWindow,
  guardWebContents,
  loadWindow,
  registerWindowScheme,
  serveWindowFiles,
} from './desktop-window.ts';
import { forwardBatches, registerCalls } from './ipc-carrier.ts';
import { clusterDirIn, defaultDataDir, programFiles, readVersion, wantsAnyPorts } from './program.ts';
import { createUtilityLauncher } from './utility-launcher.ts';

const files = programFiles(import.meta.dirname);
const ephemeral = process.argv.includes('--ephemeral');
const dataDir = ephemeral ? mkdtempSync(join(tmpdir(), 'quorumlab-window-')) : defaultDataDir();

// All before the app is ready: Electron reads these once.
app.setName('Quorumlab');
app.setPath('userData', join(dataDir, 'window'));
registerWindowScheme();
guardWebContents();

let window: BrowserWindow | null = null;
let host: PanelHost | null = null;
let closing = false;

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => {
    if (window?.isMinimized()) window.restore();
    window?.focus();
  });
  app.on('window-all-closed', () => app.quit());
  app.on('before-quit', (event) => {
    if (host === null) return;
    event.preventDefault();
    if (!closing) void stop(host);
    closing = true;
  });
  // Whatever ends this process, no node outlives it; each watches for that by itself, too.
  process.on('exit', () => host?.killNow());
  // Not awaited here: Electron becomes ready only once this module has been evaluated.
  app.whenReady().then(start).catch(fail);
} else {
  console.error(
    `Quorumlab is open on ${dataDir} already: its window comes to the front. ` +
      'QUORUMLAB_DATA_DIR=DIR opens another cluster, --ephemeral a temporary one.',
  );
  app.exit(0);
}

async function start(): Promise<void> {
  installMenu();
  serveWindowFiles(files.rendererDir);
  // The nodes elect a leader while the window loads.
  const starting = createPanelHost({
    launcher: createUtilityLauncher({ entryPath: files.nodeEntry }),
    dataDir: ephemeral ? null : clusterDirIn(dataDir),
    host: 'desktop',
    version: readVersion(files.packageFile),
    anyPorts: wantsAnyPorts(),
    runtime: `Electron ${process.versions.electron}`,
  });
  // A refusal is awaited below; until then it must not count as unhandled.
  starting.catch(() => undefined);
  window = createWindow(files.preload);
  registerCalls(window, starting);
  const loading = loadWindow(window);
  host = await starting;
  forwardBatches(window, host);
  await loading;
}

/** The window goes at once; the nodes get the time to hand over and close their files. */
async function stop(running: PanelHost): Promise<void> {
  window?.hide();
  try {
    await running.close();
  } finally {
    if (ephemeral) rmSync(dataDir, { recursive: true, force: true });
    app.exit(0);
  }
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`Quorumlab cannot start: ${message}`);
  dialog.showErrorBox('Quorumlab cannot start', message);
  app.exit(1);
}
