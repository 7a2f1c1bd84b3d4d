// Starting other programs: with a time limit that ends the whole group, or in the foreground with signals passed on.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const OUTPUT_CHARS_MAX = 200_000;

/**
 * @typedef {object} RunResult
 * @property {number} code exit code; 128 + n after signal n
 * @property {string} output stdout and stderr together, the last OUTPUT_CHARS_MAX characters
 * @property {boolean} timedOut
 */

/** @param {number | null} code @param {NodeJS.Signals | null} signal */
function exitCodeOf(code, signal) {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/**
 * Runs a program to its end. It gets a process group of its own, which is killed when time is up or this process ends.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeLimitMs?: number, show?: boolean, isStuck?: () => boolean }} [options]
 *   `isStuck` is asked every second; once it says yes, the program is ended as if its time were up
 * @returns {Promise<RunResult>}
 */
export function run(command, args, options = {}) {
  const { cwd, env, timeLimitMs = 600_000, show = false, isStuck } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    let output = '';
    let timedOut = false;
    const endGroup = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
      } catch {
        // The group is gone already.
      }
    };
    const stopOnSignal = (/** @type {NodeJS.Signals} */ signal) => {
      endGroup();
      process.exit(exitCodeOf(null, signal));
    };
    const timeIsUp = () => {
      timedOut = true;
      endGroup();
    };
    const timer = setTimeout(timeIsUp, timeLimitMs);
    const watch = isStuck && setInterval(() => isStuck() && timeIsUp(), 1_000);
    const finish = (/** @type {number} */ code) => {
      clearTimeout(timer);
      clearInterval(watch);
      process.off('exit', endGroup).off('SIGINT', stopOnSignal).off('SIGTERM', stopOnSignal);
      resolve({ code, output, timedOut });
    };
    process.on('exit', endGroup).on('SIGINT', stopOnSignal).on('SIGTERM', stopOnSignal);
    const collect = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
      if (show) process.stdout.write(chunk);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      output += `\n${error.message}`;
      finish(127);
    });
    child.on('close', (code, signal) => finish(exitCodeOf(code, signal)));
  });
}

/**
 * Runs the npm that started this script, or else the one on the PATH.
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeLimitMs?: number }} options
 */
export function runNpm(args, options) {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js')
    ? run(process.execPath, [script, ...args], options)
    : run('npm', args, options);
}

/**
 * Runs a program in the foreground, as if the person had started it: its terminal, its signals, its exit code.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>}
 */
export function runInForeground(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' });
    // Ctrl-C in a terminal reaches the child by itself; a signal sent to this process alone does not.
    const passOn = (/** @type {NodeJS.Signals} */ signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, passOn);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}

/**
 * The first of these programs that is on the PATH.
 * @param {string[]} names
 * @returns {Promise<string | undefined>}
 */
export async function findProgram(names) {
  for (const name of names) {
    const { code, output } = await run('which', [name], { timeLimitMs: 5_000 });
    if (code === 0) return output.trim();
  }
  return undefined;
}
