// What scripts say to a person: one line per step, with the time it took; plain text when piped.

const colour = process.stderr.isTTY && !process.env.NO_COLOR;

/** @param {number} code @param {string} text */
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** @param {string} text */
export const bold = (text) => paint(1, text);
/** @param {string} text */
export const red = (text) => paint(31, text);
/** @param {string} text */
export const green = (text) => paint(32, text);
/** @param {string} text */
export const yellow = (text) => paint(33, text);
/** @param {string} text */
export const dim = (text) => paint(2, text);

/** Progress goes to stderr, so that the output of the program itself stays clean. @param {string} text */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** @param {number} startedAtMs */
export function elapsed(startedAtMs) {
  return `${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`;
}

/**
 * Says what is being done, does it, and says how long it took.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const startedAtMs = Date.now();
  say(`${dim('›')} ${what} …`);
  const result = await work();
  say(`${green('✓')} ${what} ${dim(`(${elapsed(startedAtMs)})`)}`);
  return result;
}

/** An operating error whose message is meant for a person: shown without a stack. */
export class PlainError extends Error {}

/**
 * Runs a script's main function: a PlainError is shown as it is, anything else with its stack.
 * @param {() => Promise<number | void>} main resolves to the exit code
 */
export function runMain(main) {
  main().then(
    (code) => process.exit(code ?? 0),
    (error) => {
      say(red(error instanceof PlainError ? error.message : (error?.stack ?? String(error))));
      process.exit(1);
    },
  );
}
