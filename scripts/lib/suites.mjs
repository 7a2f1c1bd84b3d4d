// The test suites: where each one's files are, what it needs, and how it is run. test.mjs decides which and adds up.
import { mkdirSync, rmSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { missingLibraries, resolveElectronRuntime } from '../electron-runtime.mjs';
import {
  BROWSER_PACKAGES,
  DESKTOP_PACKAGES,
  installDebianPackages,
  REDIS_PACKAGES,
} from './debian-packages.mjs';
import { filesBelow } from './hashing.mjs';
import { inProject, projectRoot } from './paths.mjs';
import { findProgram, run } from './processes.mjs';
import { readPlaywrightReport, readVitestReport, tally } from './reports.mjs';
import { PlainError, say, yellow } from './terminal.mjs';

/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {number} timeLimitMs for all of its tests together
 * @property {(file: string) => boolean} owns whether a test file, given relative to test/, is one of its own
 * @property {(timeLimitMs: number) => Promise<Command>} prepare gets what it needs; a PlainError says why it cannot run here
 * @property {(report: string) => import('./reports.mjs').Tally | undefined} readReport
 *
 * @typedef {{ command: string, args: string[], env?: NodeJS.ProcessEnv }} Command
 */

const MINUTE_MS = 60_000;
const vitest = inProject('node_modules', 'vitest', 'vitest.mjs');
const playwright = inProject('node_modules', '@playwright', 'test', 'cli.js');

/** @param {string} suite */
function reportOf(suite) {
  return inProject('test-results', 'reports', `${suite}.json`);
}

/** @param {string} suite @param {string[]} projects @returns {Command} */
function vitestCommand(suite, projects) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportOf(suite)}`];
  const picked = projects.flatMap((project) => ['--project', project]);
  const env = { ...process.env, QUORUMLAB_THOROUGH: '1' };
  return { command: process.execPath, args: [vitest, 'run', ...picked, ...reporters], env };
}

/** @param {string} project @param {number} timeLimitMs @param {NodeJS.ProcessEnv} env @returns {Command} */
function playwrightCommand(project, timeLimitMs, env) {
  return {
    command: process.execPath,
    // It gives up a little earlier than we do, and so still writes its report.
    args: [playwright, 'test', '--project', project, '--global-timeout', String(timeLimitMs - 15_000)],
    env: { ...process.env, ...env, QUORUMLAB_E2E_REPORT: reportOf(project) },
  };
}

/** The real app needs a runtime, its libraries, and a display, real or virtual. @param {number} timeLimitMs */
async function prepareDesktop(timeLimitMs) {
  const runtime = await resolveElectronRuntime();
  const hasDisplay =
    Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY) || process.platform !== 'linux';
  const lacks = async () =>
    (await missingLibraries(runtime)).length > 0 || !(hasDisplay || (await findProgram(['xvfb-run'])));
  if (await lacks()) await installDebianPackages('the desktop suite', DESKTOP_PACKAGES);
  const missing = await missingLibraries(runtime);
  if (missing.length > 0) throw new PlainError(`the Electron runtime misses ${missing.join(', ')}`);
  const direct = playwrightCommand('desktop', timeLimitMs, {});
  if (hasDisplay) return direct;
  const screen = '-screen 0 1440x900x24';
  return { ...direct, command: 'xvfb-run', args: ['-a', '-s', screen, direct.command, ...direct.args] };
}

/** @param {number} timeLimitMs */
async function prepareBrowser(timeLimitMs) {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const find = async () => process.env.QUORUMLAB_CHROMIUM || (await findProgram(names));
  if (!(await find())) await installDebianPackages('the browser suite', BROWSER_PACKAGES);
  const chromium = await find();
  if (!chromium) throw new PlainError('no Chromium was found: set QUORUMLAB_CHROMIUM to its path');
  return playwrightCommand('browser', timeLimitMs, { QUORUMLAB_CHROMIUM: chromium });
}

/** Without Redis's own programs everything else of the suite still runs: their tests are skipped by name. */
async function prepareCluster() {
  try {
    const found = await Promise.all(['redis-server', 'redis-benchmark'].map((name) => findProgram([name])));
    const python = await run('/usr/bin/python3', ['-c', 'import redis'], { timeLimitMs: 20_000 });
    if (!found.every(Boolean) || python.code !== 0)
      await installDebianPackages('the Redis clients', REDIS_PACKAGES);
  } catch (error) {
    if (!(error instanceof PlainError)) throw error;
    say(yellow(error.message));
  }
  return vitestCommand('cluster', ['cluster']);
}

/** @param {string} file relative to test/ @param {string[]} folders */
const inFolders = (file, folders) => folders.includes(file.split(sep)[0] ?? '');
/** @param {string} file */
const isBrowserSpec = (file) => file.startsWith(`e2e${sep}browser${sep}`);
/** @param {string} file */
const isTest = (file) => /\.test\.tsx?$/.test(file);
/** @param {string} file */
const isSpec = (file) => /\.spec\.ts$/.test(file);

/** @type {Suite[]} */
export const SUITES = [
  {
    name: 'unit',
    timeLimitMs: 12 * MINUTE_MS,
    owns: (file) => isTest(file) && !inFolders(file, ['cluster', 'redis-clients', 'e2e']),
    prepare: async () => vitestCommand('unit', ['unit', 'renderer']),
    readReport: readVitestReport,
  },
  {
    name: 'cluster',
    timeLimitMs: 9 * MINUTE_MS,
    owns: (file) => isTest(file) && inFolders(file, ['cluster', 'redis-clients']),
    prepare: prepareCluster,
    readReport: readVitestReport,
  },
  {
    name: 'desktop',
    timeLimitMs: 8 * MINUTE_MS,
    owns: (file) => isSpec(file) && inFolders(file, ['e2e']) && !isBrowserSpec(file),
    prepare: prepareDesktop,
    readReport: readPlaywrightReport,
  },
  {
    name: 'browser',
    timeLimitMs: 3 * MINUTE_MS,
    owns: (file) => isSpec(file) && isBrowserSpec(file),
    prepare: prepareBrowser,
    readReport: readPlaywrightReport,
  },
];

/** Every test file, relative to test/. */
function testFiles() {
  const root = inProject('test');
  const named = filesBelow(root).filter((file) => /\.(test|spec)\.[cm]?[jt]sx?$/.test(file));
  return named.map((file) => relative(root, file));
}

/** @param {Suite} suite */
export function filesOf(suite) {
  return testFiles().filter(suite.owns);
}

/** Test files that no suite would run: in the wrong folder, or with the wrong ending. */
export function strayFiles() {
  return testFiles().filter((file) => !SUITES.some((suite) => suite.owns(file)));
}

/**
 * Runs a suite to its end or its time limit.
 * @param {Suite} suite
 * @param {Command} command
 */
export async function runSuite(suite, { command, args, env }) {
  const report = reportOf(suite.name);
  mkdirSync(inProject('test-results', 'reports'), { recursive: true });
  rmSync(report, { force: true });
  const options = { cwd: projectRoot, show: true, timeLimitMs: suite.timeLimitMs, ...(env && { env }) };
  const result = await run(command, args, options);
  const counted = suite.readReport(report);
  if (result.timedOut) {
    const limit = `${suite.name} was ended after its ${suite.timeLimitMs / MINUTE_MS} minutes`;
    return tally({ ...counted, failed: (counted?.failed ?? 0) + 1, reasons: [limit] });
  }
  if (counted === undefined) {
    return tally({
      failed: 1,
      reasons: [`${suite.name} ended with exit code ${result.code} and without a report`],
    });
  }
  if (counted.passed + counted.failed + counted.skipped === 0) {
    return tally({ failed: 1, reasons: [`${suite.name} has test files, but ran no test`] });
  }
  if (result.code !== 0 && counted.failed === 0) {
    return tally({
      ...counted,
      failed: 1,
      reasons: [...counted.reasons, `${suite.name}: exit code ${result.code}`],
    });
  }
  return counted;
}
