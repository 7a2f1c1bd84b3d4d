// `npm run dev`: the desktop app with hot reload of the window, on whatever Electron runtime there is.
import { resolveElectronRuntime } from './electron-runtime.mjs';
import { inProject, projectRoot } from './lib/paths.mjs';
import { runInForeground } from './lib/processes.mjs';
import { runMain } from './lib/terminal.mjs';

runMain(async () => {
  const { executable } = await resolveElectronRuntime();
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  const env = { ...process.env, ELECTRON_EXEC_PATH: executable, ...(isRoot && { NO_SANDBOX: '1' }) };
  const tool = inProject('node_modules', 'electron-vite', 'bin', 'electron-vite.js');
  return await runInForeground(process.execPath, [tool, 'dev', '--watch', ...process.argv.slice(2)], {
    cwd: projectRoot,
    env,
  });
});
