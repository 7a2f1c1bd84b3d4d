// Waiting times between attempts: exponential, with jitter so that many clients do not knock in step.

/** Half to all of `baseMs * 2^attempt`, capped at `maxMs`. `attempt` counts from 0. */
export function backoffMs(
  random: () => number,
  { attempt, baseMs, maxMs }: { attempt: number; baseMs: number; maxMs: number },
): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return full * (0.5 + random() / 2);
}
