// The real programs for end-to-end tests, one per test: `desktop` is the Electron app and its window, `panelUrl` the
// browser host. Each gets an empty data folder, and nothing of it outlives the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import {
  test as base,
  type ElectronApplication,
  _electron as electron,
  type Page,
  type TestInfo,
} from '@playwright/test';
import { resolveElectronRuntime } from '../../scripts/electron-runtime.mjs';

const projectRoot = resolve(import.meta.dirname, '../..');
const SERVE_LINE = /Quorumlab panel: (http:\/\/127\.0\.0\.1:\d+\/\S*)/;
const START_LIMIT_MS = 30_000;
const CLOSE_LIMIT_MS = 10_000;

export interface Desktop {
  app: ElectronApplication;
  window: Page;
}

export interface LaunchOptions {
  /** Goes to the app after its path, as `npm start -- ARGS` does. */
  args?: string[];
  env?: Record<string, string>;
}

/** This process's environment with the app's data folder in it. */
function environment(dataDir: string, extra: Record<string, string> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  // Any free ports: a panel that is open on this machine, or another test run, may have the defaults.
  const own = { QUORUMLAB_DATA_DIR: dataDir, QUORUMLAB_PORTS: 'any' };
  const merged = { ...Object.fromEntries(inherited), ...extra, ...own };
  const { ELECTRON_RUN_AS_NODE: _unset, ...usable } = merged as Record<string, string>;
  return usable;
}

/** Starts the built app on a data folder, which may hold what an earlier launch left. */
export async function launchDesktop(dataDir: string, options: LaunchOptions = {}): Promise<Desktop> {
  const runtime = await resolveElectronRuntime();
  // Playwright asks the electron package for the executable, which honours this; so its own loader is used, and no
  // event of the app is missed.
  if (runtime.source === 'npm') process.env.ELECTRON_OVERRIDE_DIST_PATH = runtime.distPath;
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  const app = await electron.launch({
    args: [...(isRoot ? ['--no-sandbox'] : []), projectRoot, ...(options.args ?? [])],
    cwd: projectRoot,
    env: environment(dataDir, options.env),
    timeout: START_LIMIT_MS,
  });
  return { app, window: await app.firstWindow() };
}

/** Closes the app as a person would, and kills it when it does not go. */
export async function closeDesktop(app: ElectronApplication): Promise<void> {
  const main = app.process();
  const closed = app.close().catch(() => undefined);
  const timer = setTimeout(() => main.kill('SIGKILL'), CLOSE_LIMIT_MS);
  await closed;
  clearTimeout(timer);
}

/** Snapshots only: a film of an animated window costs more than the app itself. */
async function startTrace(desktop: Desktop): Promise<void> {
  await desktop.app.context().tracing.start({ screenshots: false, snapshots: true });
}

/** Playwright keeps traces and screenshots by itself for browsers only. */
async function keepEvidence(desktop: Desktop, testInfo: TestInfo): Promise<void> {
  const failed = testInfo.status !== testInfo.expectedStatus;
  const tracing = desktop.app.context().tracing;
  if (!failed) return await tracing.stop().catch(() => undefined);
  const screenshot = testInfo.outputPath('window.png');
  await desktop.window.screenshot({ path: screenshot }).catch(() => undefined);
  await tracing.stop({ path: testInfo.outputPath('trace.zip') }).catch(() => undefined);
}

/** Starts the browser host and waits for the address it prints. */
async function startBrowserHost(dataDir: string): Promise<{ host: ChildProcess; url: string }> {
  const host = spawn(process.execPath, [join(projectRoot, 'out/main/serve.js'), '--port', '0'], {
    cwd: projectRoot,
    env: environment(dataDir),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  host.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const url = await new Promise<string>((found, fail) => {
    const giveUp = (why: string) => fail(new Error(`The browser host ${why}.\n${output}`));
    const timer = setTimeout(() => giveUp('printed no address'), START_LIMIT_MS);
    host.on('exit', (code) => giveUp(`ended with exit code ${code}`));
    createInterface({ input: host.stdout }).on('line', (line) => {
      output += `${line}\n`;
      const address = SERVE_LINE.exec(line)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      found(address);
    });
  });
  return { host, url };
}

async function stopBrowserHost(host: ChildProcess): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return;
  const ended = new Promise<void>((done) => host.once('exit', () => done()));
  host.kill('SIGTERM');
  const timer = setTimeout(() => host.kill('SIGKILL'), CLOSE_LIMIT_MS);
  await ended;
  clearTimeout(timer);
}

export const test = base.extend<{ dataDir: string; desktop: Desktop; window: Page; panelUrl: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures a function needs from its pattern.
  dataDir: async ({}, use) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'quorumlab-e2e-'));
    await use(dataDir);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  },
  desktop: async ({ dataDir }, use, testInfo) => {
    const desktop = await launchDesktop(dataDir);
    await startTrace(desktop);
    await use(desktop);
    await keepEvidence(desktop, testInfo);
    await closeDesktop(desktop.app);
  },
  window: async ({ desktop }, use) => {
    await use(desktop.window);
  },
  panelUrl: async ({ dataDir }, use) => {
    const { host, url } = await startBrowserHost(dataDir);
    await use(url);
    await stopBrowserHost(host);
  },
});
