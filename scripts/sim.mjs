// `npm run sim`: simulates clusters. One seed is shown as a trace; many are a campaign over all processors.
// This script runs and prints; the simulator itself (engine/simulator) knows no host.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';
import { inProject } from './lib/paths.mjs';
import { bold, dim, green, PlainError, red, runMain, say } from './lib/terminal.mjs';

const USAGE = `npm run sim -- --seed N [--trace messages]      one run, as a trace
npm run sim -- --seeds COUNT [--from N]         a campaign
  --nodes N   --steps N   --clients N           instead of what the seed draws
  --faults KIND,KIND | none                     of the kinds that the seed draws, only these
  --theme mixed | churn | stale | rot | lag | members     what the draw leans to
  --jobs N                                      threads of a campaign; all processors by default
  --quiet                                       of one seed only the verdict
  --full                                        of a failing seed the run as it was found, not made small`;

/** Seeds handed to a thread at a time. */
const CHUNK_SEEDS = 20;
/** Failing seeds that are made small and explained. */
const EXPLAINED_MAX = 3;

/** Not followed by the type checker: these files belong to another project. @param {string} file */
async function simulator(file) {
  return await import(inProject('engine', 'simulator', file));
}

/** @param {string[]} argv */
function readArguments(argv) {
  try {
    const text = /** @type {const} */ ({ type: 'string' });
    const flag = /** @type {const} */ ({ type: 'boolean' });
    return parseArgs({
      args: argv,
      options: {
        seed: text,
        seeds: text,
        from: text,
        nodes: text,
        steps: text,
        clients: text,
        faults: text,
        theme: text,
        jobs: text,
        trace: text,
        quiet: flag,
        full: flag,
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new PlainError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

/** @param {string | undefined} value @param {string} name @param {number} least */
function wholeNumber(value, name, least) {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least) {
    throw new PlainError(`--${name} ${value}: expected a whole number from ${least} up`);
  }
  return number;
}

/**
 * @param {ReturnType<typeof readArguments>} given
 * @param {{ isFaultKind: (name: string) => boolean, THEMES: readonly string[] }} plans
 */
function readOverrides(given, { isFaultKind, THEMES }) {
  const nodes = wholeNumber(given.nodes, 'nodes', 1);
  const steps = wholeNumber(given.steps, 'steps', 0);
  const clients = wholeNumber(given.clients, 'clients', 0);
  const faults = given.faults?.split(',').filter((kind) => kind !== 'none' && kind !== '');
  const unknown = faults?.find((kind) => !isFaultKind(kind));
  if (unknown !== undefined) throw new PlainError(`--faults: there is no fault ${unknown}`);
  const { theme } = given;
  if (theme !== undefined && !THEMES.includes(theme)) throw new PlainError(`--theme: there is no ${theme}`);
  return {
    ...(theme !== undefined && { theme }),
    ...(nodes !== undefined && { nodes }),
    ...(steps !== undefined && { steps }),
    ...(clients !== undefined && { clients }),
    ...(faults !== undefined && { faults }),
  };
}

/** One seed: the trace on standard output, the verdict behind it. @returns {Promise<number>} exit code */
async function showOne(
  /** @type {number} */ seed,
  /** @type {object} */ overrides,
  /** @type {ReturnType<typeof readArguments>} */ given,
) {
  const { drawPlan, FAULT_KINDS } = await simulator('plan.ts');
  const { simulate } = await simulator('simulation.ts');
  const plan = drawPlan(seed, overrides);
  const faults = [...plan.faults.keys()];
  say(bold(`seed ${seed}: ${plan.nodes} nodes, ${plan.clients.count} clients, ${plan.steps} steps`));
  for (const kind of faults) say(dim(`  ${kind.padEnd(10)} ${FAULT_KINDS[kind]}`));
  const trace = given.quiet ? undefined : (/** @type {string} */ line) => process.stdout.write(`${line}\n`);
  const result = simulate(plan, { trace, tracesMessages: given.trace === 'messages' });
  const { violation } = result;
  if (violation !== null) {
    say(
      red(
        `VIOLATION at step ${violation.step}: ${violation.checker} [${violation.rule}] ${violation.message}`,
      ),
    );
    return 1;
  }
  const healed = `one cluster again ${result.healingTicks} ticks after the last fault`;
  say(
    green(
      `no violation: ${result.steps} events, ${result.elections} elections, ${result.committed} entries; ${healed}`,
    ),
  );
  return 0;
}

/** @param {number} seed @param {object} overrides @param {boolean} full */
async function explain(seed, overrides, full) {
  const { drawPlan } = await simulator('plan.ts');
  const { simulate } = await simulator('simulation.ts');
  const { replayCommand, shrinkRun } = await simulator('shrink.ts');
  say(red(bold(`\nseed ${seed}`)));
  say(`replay as found   ${replayCommand(seed, overrides)}`);
  const found = { seed, overrides, result: simulate(drawPlan(seed, overrides)) };
  const small = full ? found : shrinkRun(found);
  if (!full) say(`replay made small ${replayCommand(seed, small.overrides)}`);
  /** @type {string[]} */
  const lines = [];
  simulate(drawPlan(seed, small.overrides), { trace: (/** @type {string} */ line) => lines.push(line) });
  const shown = [lines[0], ...lines.slice(1).slice(-40)];
  for (const line of shown) process.stdout.write(`${line}\n`);
}

/** @param {number} count @param {object} overrides @param {ReturnType<typeof readArguments>} given */
async function runCampaign(count, overrides, given) {
  const { CampaignTotals, summarize } = await simulator('campaign.ts');
  const first = wholeNumber(given.from, 'from', 0) ?? 1;
  const jobs = Math.min(
    wholeNumber(given.jobs, 'jobs', 1) ?? availableParallelism(),
    Math.ceil(count / CHUNK_SEEDS),
  );
  const totals = new CampaignTotals();
  const startedAt = performance.now();
  let next = first;
  let shownAt = 0;
  const progress = () => {
    const now = performance.now();
    if (now - shownAt < 500 || !process.stderr.isTTY) return;
    shownAt = now;
    const rate = Math.round((totals.steps / (now - startedAt)) * 1000);
    const failing = totals.failures.length === 0 ? '' : red(`, ${totals.failures.length} FAILING`);
    process.stderr.write(`\r${totals.seeds} of ${count} seeds, ${rate} events a second${failing}   `);
  };
  /** @returns {Promise<void>} */
  const runThread = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { overrides } });
      const giveWork = () => {
        const end = Math.min(next + CHUNK_SEEDS, first + count);
        if (next >= end) worker.postMessage(null);
        else worker.postMessage({ from: next, end });
        next = end;
      };
      worker.on('message', (results) => {
        for (const result of results) totals.add(result);
        progress();
        giveWork();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  await Promise.all(Array.from({ length: jobs }, runThread));
  if (process.stderr.isTTY) process.stderr.write('\r');
  for (const line of summarize(totals, performance.now() - startedAt)) process.stdout.write(`${line}\n`);
  totals.failures.sort((/** @type {{seed: number}} */ a, /** @type {{seed: number}} */ b) => a.seed - b.seed);
  for (const { seed, checker, rule, message } of totals.failures.slice(0, 50)) {
    process.stdout.write(`seed ${seed}: ${checker} [${rule}] ${message}\n`);
  }
  for (const { seed } of totals.failures.slice(0, EXPLAINED_MAX)) {
    await explain(seed, overrides, given.full ?? false);
  }
  return totals.failures.length === 0 ? 0 : 1;
}

async function main() {
  const given = readArguments(process.argv.slice(2));
  if (given.help || (given.seed === undefined) === (given.seeds === undefined)) {
    process.stdout.write(`${USAGE}\n`);
    return given.help ? 0 : 2;
  }
  const overrides = readOverrides(given, await simulator('plan.ts'));
  const seed = wholeNumber(given.seed, 'seed', 0);
  if (seed !== undefined) return await showOne(seed, overrides, given);
  return await runCampaign(wholeNumber(given.seeds, 'seeds', 1) ?? 1, overrides, given);
}

/** A thread of a campaign: ranges of seeds in, results out. */
async function work() {
  const { drawPlan } = await simulator('plan.ts');
  const { simulate } = await simulator('simulation.ts');
  const { overrides } = workerData;
  parentPort?.on('message', (range) => {
    if (range === null) {
      parentPort?.close();
      return;
    }
    const results = [];
    for (let seed = range.from; seed < range.end; seed++) results.push(simulate(drawPlan(seed, overrides)));
    parentPort?.postMessage(results);
  });
  // Ready for the first range.
  parentPort?.postMessage([]);
}

register();
if (isMainThread) runMain(main);
else await work();
