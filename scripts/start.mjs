// `npm start`: from a bare checkout to the running panel. Opens the desktop app, or, where that cannot be, serves the
// same panel to a browser and says why. `--browser` asks for the browser; other arguments go to the app.
import { missingLibraries, resolveElectronRuntime } from './electron-runtime.mjs';
import { DESKTOP_PACKAGES, installCommand } from './lib/debian-packages.mjs';
import { inProject, projectRoot } from './lib/paths.mjs';
import { prepare } from './lib/prepare.mjs';
import { runInForeground } from './lib/processes.mjs';
import { dim, PlainError, runMain, say, yellow } from './lib/terminal.mjs';

/** @typedef {{ executable: string } | { reason: string }} Desktop */

/** @returns {Promise<Desktop>} the executable to start, or why there can be no desktop window */
async function findDesktop() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return { reason: 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)' };
  }
  try {
    const runtime = await resolveElectronRuntime();
    const missing = await missingLibraries(runtime);
    if (missing.length === 0) return { executable: runtime.executable };
    const remedy = `On Debian, as root: ${installCommand(DESKTOP_PACKAGES)}`;
    return { reason: `the Electron runtime misses ${missing.join(', ')}. ${remedy}` };
  } catch (error) {
    if (error instanceof PlainError) return { reason: error.message };
    throw error;
  }
}

/** @param {string[]} args */
function serveToBrowser(args) {
  return runInForeground(process.execPath, [inProject('out', 'main', 'serve.js'), ...args], {
    cwd: projectRoot,
  });
}

/** @param {string} executable @param {string[]} args */
function openDesktop(executable, args) {
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  if (isRoot) say(dim('  running as root: the window starts without the Chromium sandbox'));
  const env = { ...process.env };
  delete env.ELECTRON_RUN_AS_NODE;
  // Chromium reads its own options only before the app's path.
  const all = [...(isRoot ? ['--no-sandbox'] : []), projectRoot, ...args];
  return runInForeground(executable, all, { cwd: projectRoot, env });
}

runMain(async () => {
  const args = process.argv.slice(2);
  const wantsBrowser = args.includes('--browser');
  const forwarded = args.filter((arg) => arg !== '--browser');
  await prepare();
  if (wantsBrowser) return await serveToBrowser(forwarded);
  const desktop = await findDesktop();
  if ('executable' in desktop) return await openDesktop(desktop.executable, forwarded);
  say(yellow(`No desktop window: ${desktop.reason}`));
  say('The same panel is served to a browser on this machine instead.');
  return await serveToBrowser(forwarded);
});
