// Waits for a predicate with a deadline: what the tests of this folder do instead of sleeping.

/** Rejects, naming what was waited for, when it has not come true within `deadlineMs`. */
export async function waitUntil(what: string, holds: () => boolean, deadlineMs = 5000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits until the check does not throw. */
export async function waitUntilPasses(check: () => void, deadlineMs = 5000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    try {
      check();
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
