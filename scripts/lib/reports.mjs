// Reads the JSON reports of vitest and Playwright into one kind of tally.
import { existsSync, readFileSync } from 'node:fs';

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} reasons why something was skipped or failed outside of a test
 */

/** @param {Partial<Tally>} [counts] @returns {Tally} */
export function tally(counts = {}) {
  return { passed: 0, failed: 0, skipped: 0, reasons: [], ...counts };
}

/** @param {Tally[]} tallies */
export function sum(tallies) {
  const total = tally();
  for (const one of tallies) {
    total.passed += one.passed;
    total.failed += one.failed;
    total.skipped += one.skipped;
    total.reasons.push(...one.reasons);
  }
  return total;
}

/** @param {string} file @returns {any} */
function readReport(file) {
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * A file that could not be loaded holds no failed test, and is one failure all the same.
 * @param {string} file
 * @returns {Tally | undefined}
 */
export function readVitestReport(file) {
  const report = readReport(file);
  if (report === undefined) return undefined;
  const brokenFiles = report.testResults.filter(
    (/** @type {any} */ result) =>
      result.status === 'failed' &&
      !result.assertionResults.some((/** @type {any} */ test) => test.status === 'failed'),
  );
  const skipped = report.numPendingTests + report.numTodoTests;
  return tally({
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped,
    reasons: [
      ...brokenFiles.map((/** @type {any} */ result) => `${result.name}: ${result.message}`),
      ...skippedTitles(report),
    ],
  });
}

/** @param {any} report */
function skippedTitles(report) {
  return report.testResults.flatMap((/** @type {any} */ result) =>
    result.assertionResults
      .filter((/** @type {any} */ test) => ['pending', 'skipped', 'todo'].includes(test.status))
      .map((/** @type {any} */ test) => `skipped: ${test.fullName}`),
  );
}

/** @param {any} suite @returns {any[]} */
function specsOf(suite) {
  return [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specsOf)];
}

/** @param {string} file @returns {Tally | undefined} */
export function readPlaywrightReport(file) {
  const report = readReport(file);
  if (report === undefined) return undefined;
  const reasons = report.suites.flatMap(specsOf).flatMap((/** @type {any} */ spec) =>
    spec.tests
      .filter((/** @type {any} */ test) => test.status === 'skipped')
      .map((/** @type {any} */ test) => {
        const note = test.annotations.find((/** @type {any} */ annotation) => annotation.description);
        return `skipped: ${spec.title}${note ? ` (${note.description})` : ''}`;
      }),
  );
  const outside = report.errors.map((/** @type {any} */ error) => error.message ?? String(error));
  const { expected, unexpected, flaky, skipped } = report.stats;
  return tally({
    passed: expected + flaky,
    failed: unexpected + outside.length,
    skipped,
    reasons: [...reasons, ...outside],
  });
}
