// `npm run shots [-- FOLDER]`: screenshots of the real app with a real cluster under a real load, for the README.
// Runs under a virtual display where there is none. Takes about a minute and a half: the charts need a past.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { _electron as electron } from '@playwright/test';
import { resolveElectronRuntime } from './electron-runtime.mjs';
import { inProject, projectRoot } from './lib/paths.mjs';
import { prepare } from './lib/prepare.mjs';
import { runInForeground } from './lib/processes.mjs';
import { runMain, step } from './lib/terminal.mjs';

const LIMIT_MS = 30_000;
const SIZE = { width: 1440, height: 900 };
const LOAD = 'load 400 --clients 16 --writes 80';
const WARM_UP_MS = 30_000;
const AFTER_FAILOVER_MS = 15_000;
/** Slowed down as they are, the votes of an election are on their way at this moment. */
const ELECTION_IN_FLIGHT_MS = 650;

/** @typedef {import('@playwright/test').Page} Page */

/** @param {Page} page @param {string} line */
async function run(page, line) {
  const answers = page.getByTestId('console-output').locator('[data-ok]');
  const before = await answers.count();
  await page.getByTestId('console-input').fill(line);
  await page.getByTestId('console-input').press('Enter');
  await answers.nth(before).and(page.locator('[data-ok="true"]')).waitFor({ timeout: LIMIT_MS });
}

/** @param {Page} page */
async function leaderId(page) {
  const leader = page.locator('[data-testid^="node-"][data-role="leader"]');
  await leader.waitFor({ timeout: LIMIT_MS });
  return Number((await leader.getAttribute('data-testid'))?.slice('node-'.length));
}

/** @param {Page} page @param {string} name */
async function openTab(page, name) {
  await page.getByRole('tab', { name }).click();
}

/** The pointer and the focus out of the picture. @param {Page} page */
async function letGo(page) {
  await page.mouse.move(SIZE.width / 2, 2);
  await page.locator(':focus').blur({ timeout: LIMIT_MS });
}

/** @param {Page} page */
async function healthy(page) {
  await page.getByTestId('health').and(page.locator('[data-level="good"]')).waitFor({ timeout: LIMIT_MS });
}

/** @param {Page} page @param {(name: string) => Promise<void>} shoot */
async function takeAll(page, shoot) {
  await healthy(page);
  await run(page, 'set greeting "hello world"');
  await run(page, 'bulk-set user:1=Ada user:2=Grace user:3=Barbara');
  await run(page, 'cas greeting "hello world" "hello again"');
  await run(page, 'scan user:');
  await run(page, LOAD);
  await page.getByRole('button', { name: `Inspect n${await leaderId(page)}`, exact: true }).click();
  await page.waitForTimeout(WARM_UP_MS);
  await healthy(page);
  await letGo(page);
  await shoot('panel-dark');

  await openTab(page, 'Events');
  const killed = await leaderId(page);
  await page.getByRole('button', { name: `Kill n${killed}`, exact: true }).click();
  await page.waitForTimeout(ELECTION_IN_FLIGHT_MS);
  await shoot('failover-dark');

  await leaderId(page);
  await page.waitForTimeout(AFTER_FAILOVER_MS / 2);
  await page.getByRole('button', { name: `Restart n${killed}`, exact: true }).click();
  await healthy(page);
  await page.waitForTimeout(AFTER_FAILOVER_MS / 2);
  await openTab(page, 'Charts');
  await page.getByRole('button', { name: '1 min', exact: true }).click();
  await page.emulateMedia({ colorScheme: 'light' });
  await page.waitForTimeout(2000);
  await letGo(page);
  await shoot('panel-light');

  await openTab(page, 'Console');
  const isolated = await leaderId(page);
  await run(page, `partition n${isolated}`);
  await page.getByRole('button', { name: `Inspect n${isolated}`, exact: true }).click();
  await page.waitForTimeout(3000);
  await letGo(page);
  await shoot('partition-light');
  await run(page, 'load stop');
}

/** @param {string} folder @param {string} dataDir */
async function takeShots(folder, dataDir) {
  const runtime = await resolveElectronRuntime();
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  const inherited = /** @type {Record<string, string>} */ (process.env);
  const app = await electron.launch({
    executablePath: runtime.executable,
    args: [...(isRoot ? ['--no-sandbox'] : []), projectRoot],
    env: { ...inherited, QUORUMLAB_DATA_DIR: dataDir, QUORUMLAB_PORTS: 'any' },
  });
  try {
    const window = await app.firstWindow();
    await app.evaluate(({ BrowserWindow }, { width, height }) => {
      BrowserWindow.getAllWindows()[0]?.setContentSize(width, height);
    }, SIZE);
    await window.emulateMedia({ colorScheme: 'dark' });
    await takeAll(window, async (name) => {
      await window.screenshot({ path: join(folder, `${name}.png`) });
    });
  } finally {
    await app.close();
  }
}

runMain(async () => {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    const again = [process.execPath, ...process.argv.slice(1)];
    return await runInForeground('xvfb-run', ['-a', '-s', '-screen 0 1600x1000x24', ...again], {
      cwd: projectRoot,
    });
  }
  await prepare();
  const folder = resolve(process.argv[2] ?? inProject('docs', 'images'));
  const dataDir = await mkdtemp(join(tmpdir(), 'quorumlab-shots-'));
  await mkdir(folder, { recursive: true });
  try {
    await step(`taking screenshots into ${folder}`, () => takeShots(folder, dataDir));
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  return 0;
});
