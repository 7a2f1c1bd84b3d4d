// `npm run bench [-- WHAT --seconds N …]`: builds when stale, then `quorumlab bench`.
import { inProject, projectRoot } from './lib/paths.mjs';
import { prepare } from './lib/prepare.mjs';
import { runInForeground } from './lib/processes.mjs';
import { runMain } from './lib/terminal.mjs';

runMain(async () => {
  await prepare();
  const cli = inProject('out', 'main', 'cli.js');
  return runInForeground(process.execPath, [cli, 'bench', ...process.argv.slice(2)], { cwd: projectRoot });
});
