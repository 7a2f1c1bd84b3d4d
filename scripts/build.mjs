// `npm run build`: builds out/ anew, whether or not anything changed.
import { ensureBuild } from './lib/prepare.mjs';
import { runMain } from './lib/terminal.mjs';

runMain(() => ensureBuild({ force: true }));
