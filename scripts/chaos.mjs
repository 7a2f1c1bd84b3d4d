// `npm run chaos`: a real cluster under load while a seeded schedule breaks it, and every check afterwards. This
// script builds, runs and prints; what happens is engine/chaos'.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import { inProject } from './lib/paths.mjs';
import { prepare } from './lib/prepare.mjs';
import { bold, dim, green, PlainError, red, runMain, say, yellow } from './lib/terminal.mjs';

const USAGE = `npm run chaos -- [--minutes M] [--seed N]     M 1, and a seed drawn anew, when absent
  --faults KIND,KIND | none     only these kinds; --faults help lists them
  --nodes N   --clients N       3 and 8 when absent
  --out DIR                     keeps the report, the history for \`quorumlab check\`, the schedule and the nodes' logs
  --json                        the report as one line of JSON instead of a table
  --verbose                     tells every fault as it begins

Exit codes: 0 every promise was kept, 1 one was broken, 2 it could not be decided or not be run.`;

/** Not followed by the type checker: these files belong to another project. @param {string} file */
async function chaos(file) {
  return await import(inProject('engine', 'chaos', file));
}

/** @param {string[]} argv */
function readArguments(argv) {
  try {
    const text = /** @type {const} */ ({ type: 'string' });
    const flag = /** @type {const} */ ({ type: 'boolean' });
    return parseArgs({
      args: argv,
      options: {
        minutes: text,
        seed: text,
        faults: text,
        nodes: text,
        clients: text,
        out: text,
        json: flag,
        verbose: flag,
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new PlainError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

/** @param {string | undefined} value @param {{ name: string, least: number, most: number, otherwise: number, whole?: boolean }} about */
function numberOf(value, { name, least, most, otherwise, whole = true }) {
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (!(number >= least && number <= most) || (whole && !Number.isInteger(number))) {
    throw new PlainError(`--${name} ${value}: expected a number from ${least} to ${most}`);
  }
  return number;
}

/** @param {string | undefined} text @param {{ isChaosFault: (name: string) => boolean }} kinds */
function faultsOf(text, { isChaosFault }) {
  if (text === undefined) return undefined;
  const names = text.split(',').filter((name) => name !== 'none' && name !== '');
  const unknown = names.find((name) => !isChaosFault(name));
  if (unknown !== undefined)
    throw new PlainError(`--faults: there is no ${unknown}; --faults help lists all`);
  return names;
}

/** Ctrl-C ends the faults, and everything is checked; a second one ends it all. */
function stopSignal() {
  const stop = new AbortController();
  process.on('SIGINT', () => {
    if (stop.signal.aborted) process.exit(130);
    say(yellow('\nhealing and checking; once more to give up'));
    stop.abort();
  });
  process.once('SIGTERM', () => stop.abort());
  return stop.signal;
}

/** @param {{ phase: string, atMs: number, operations: number, acknowledgedWrites: number, faults: number, violations: number }} progress */
function showProgress({ phase, atMs, operations, acknowledgedWrites, faults, violations }) {
  if (!process.stderr.isTTY) return;
  const wrong = violations > 0 ? red(`, ${violations} VIOLATIONS`) : '';
  const line = `${(atMs / 1000).toFixed(0)} s ${phase}: ${operations} operations, ${acknowledgedWrites} writes acknowledged, ${faults} faults${wrong}`;
  process.stderr.write(`\r${line}\u001b[K`);
}

async function main() {
  const given = readArguments(process.argv.slice(2));
  if (given.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  register();
  const kinds = await chaos('fault-kinds.ts');
  if (given.faults === 'help') {
    for (const [name, { what }] of Object.entries(kinds.CHAOS_FAULTS)) {
      process.stdout.write(`${name.padEnd(14)}${what}\n`);
    }
    return 0;
  }
  const drawn = Math.floor(Math.random() * 1e6);
  const options = {
    durationMs:
      60_000 *
      numberOf(given.minutes, { name: 'minutes', least: 0.1, most: 10_000, otherwise: 1, whole: false }),
    seed: numberOf(given.seed, { name: 'seed', least: 0, most: 2 ** 32, otherwise: drawn }),
    nodes: numberOf(given.nodes, { name: 'nodes', least: 3, most: 9, otherwise: 3 }),
    clients: numberOf(given.clients, { name: 'clients', least: 1, most: 256, otherwise: 8 }),
    kinds: faultsOf(given.faults, kinds),
  };
  const programs =
    process.env.QUORUMLAB_OUT === undefined ? inProject('out', 'main') : resolve(process.env.QUORUMLAB_OUT);
  if (process.env.QUORUMLAB_OUT === undefined) await prepare();
  const folder =
    given.out === undefined ? await mkdtemp(join(tmpdir(), 'quorumlab-chaos-')) : resolve(given.out);
  await mkdir(folder, { recursive: true });
  const { runChaos } = await chaos('run-chaos.ts');
  const { reportLines } = await chaos('report.ts');
  const { renderReport } = await chaos('html-report.ts');
  say(
    bold(
      `chaos, seed ${options.seed}: ${options.nodes} nodes, ${options.clients} clients, ${options.durationMs / 60_000} minutes`,
    ),
  );
  say(dim(`replay: npm run chaos -- --seed ${options.seed} --minutes ${options.durationMs / 60_000}`));
  const report = await runChaos({
    ...options,
    programs,
    folder,
    signal: stopSignal(),
    onProgress: showProgress,
    onFault: given.verbose
      ? (/** @type {{ fromMs: number, kind: string, target: string }} */ mark) =>
          say(`${(mark.fromMs / 1000).toFixed(2).padStart(8)} s  ${mark.kind} ${mark.target}`)
      : undefined,
  });
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report)}\n`);
  await writeFile(join(folder, 'report.html'), renderReport(report));
  const [headline = '', ...lines] = reportLines(report);
  const paint = report.verdict === 'ok' ? green : report.verdict === 'violation' ? red : yellow;
  if (given.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(`${bold(paint(headline))}\n${lines.join('\n')}\n`);
  if (given.out === undefined && report.verdict === 'ok') await rm(folder, { recursive: true, force: true });
  else say(`\nreport, history, schedule and logs: ${folder}`);
  return { ok: 0, violation: 1, undecided: 2 }[
    /** @type {'ok' | 'violation' | 'undecided'} */ (report.verdict)
  ];
}

runMain(async () => {
  try {
    return await main();
  } catch (error) {
    // Not run is not the same as a broken promise.
    say(
      red(error instanceof PlainError ? error.message : String(error instanceof Error ? error.stack : error)),
    );
    return 2;
  }
});
