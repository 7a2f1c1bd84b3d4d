// `npm run shots [-- FOLDER]`: screenshots of the real app with a real cluster, for the README: healthy in light and
// dark, and just after the leader was killed. Runs under a virtual display where there is none.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { _electron as electron } from '@playwright/test';
import { resolveElectronRuntime } from './electron-runtime.mjs';
import { inProject, projectRoot } from './lib/paths.mjs';
import { prepare } from './lib/prepare.mjs';
import { runInForeground } from './lib/processes.mjs';
import { runMain, step } from './lib/terminal.mjs';

const HEALTH_LIMIT_MS = 30_000;

/** @param {string} folder @param {string} dataDir */
async function takeShots(folder, dataDir) {
  const runtime = await resolveElectronRuntime();
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  const app = await electron.launch({
    executablePath: runtime.executable,
    args: [...(isRoot ? ['--no-sandbox'] : []), projectRoot],
    env: { .../** @type {Record<string, string>} */ (process.env), QUORUMLAB_DATA_DIR: dataDir },
  });
  try {
    const window = await app.firstWindow();
    const shoot = (/** @type {string} */ name) => window.screenshot({ path: join(folder, `${name}.png`) });
    await window.getByText('Healthy').first().waitFor({ timeout: HEALTH_LIMIT_MS });
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await window.emulateMedia({ colorScheme });
      await shoot(`healthy-${colorScheme}`);
    }
    await window.getByTestId('console-input').fill('kill leader');
    await window.keyboard.press('Enter');
    await window.getByText('Degraded').first().waitFor({ timeout: HEALTH_LIMIT_MS });
    await shoot('leader-killed');
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
