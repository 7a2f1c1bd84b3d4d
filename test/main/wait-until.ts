// Waiting for what will be true, with a deadline; never for time to pass.

/** Resolves once `done` holds; rejects with `what` after `timeoutMs`. */
export async function waitUntil(what: string, done: () => boolean, timeoutMs = 8000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
