// `npm test [-- unit|cluster|desktop|browser|e2e ...] [--strict]`: sets everything up and runs every suite, or those named.
// Ends with one line that counts all of them. A suite that cannot run here is skipped and says why; with --strict or
// CI=true that is a failure.
import { prepare } from './lib/prepare.mjs';
import { sum, tally } from './lib/reports.mjs';
import { filesOf, runSuite, SUITES, strayFiles } from './lib/suites.mjs';
import { bold, elapsed, PlainError, runMain, say, yellow } from './lib/terminal.mjs';

/** @typedef {import('./lib/suites.mjs').Suite} Suite */

/** @param {string[]} names @returns {Suite[]} */
function pickSuites(names) {
  const wanted = names.flatMap((name) => (name === 'e2e' ? ['desktop', 'browser'] : [name]));
  const known = SUITES.map((suite) => suite.name);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new PlainError(`No suite ${unknown.join(', ')}: there are ${known.join(', ')}, and e2e.`);
  return wanted.length === 0 ? SUITES : SUITES.filter((suite) => wanted.includes(suite.name));
}

/** @param {Suite} suite @param {boolean} strict */
async function tallyOf(suite, strict) {
  const files = filesOf(suite);
  say(bold(`\n== ${suite.name}: ${files.length} files`));
  if (files.length === 0) return tally({ reasons: [`${suite.name} has no test files`] });
  const startedAtMs = Date.now();
  try {
    return await runSuite(suite, await suite.prepare(suite.timeLimitMs));
  } catch (error) {
    if (!(error instanceof PlainError)) throw error;
    const reasons = [`${suite.name} was skipped: ${error.message}`];
    say(yellow(reasons[0] ?? ''));
    return strict ? tally({ failed: files.length, reasons }) : tally({ skipped: files.length, reasons });
  } finally {
    say(`${suite.name} took ${elapsed(startedAtMs)}`);
  }
}

runMain(async () => {
  const args = process.argv.slice(2);
  const strict = args.includes('--strict') || process.env.CI === 'true';
  const suites = pickSuites(args.filter((arg) => arg !== '--strict'));
  await prepare();
  const tallies = [];
  for (const suite of suites) tallies.push(await tallyOf(suite, strict));

  say(bold('\n== summary'));
  for (const [position, suite] of suites.entries()) {
    const { passed, failed, skipped, reasons } = tallies[position] ?? tally();
    say(`${suite.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
    for (const reason of reasons) say(yellow(`  ${reason}`));
  }
  const strays = strayFiles().map((file) => `test/${file} belongs to no suite and was not run`);
  for (const stray of strays) say(yellow(stray));
  const total = sum([...tallies, tally({ failed: strays.length })]);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total.failed > 0 ? 1 : 0;
});
