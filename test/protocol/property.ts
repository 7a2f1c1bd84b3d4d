// Runs a fast-check property; a failure names the seed and how to replay it.
import fc from 'fast-check';

/** `PROPERTY_SEED` replays a printed seed, `PROPERTY_RUNS` asks for more than the usual number of runs. */
export function property<Value>(
  arbitrary: fc.Arbitrary<Value>,
  holds: (value: Value) => void,
  { runs = 100 }: { runs?: number } = {},
): void {
  const seed = Number(process.env.PROPERTY_SEED ?? Math.trunc(Math.random() * 2 ** 31));
  const numRuns = Number(process.env.PROPERTY_RUNS ?? runs);
  try {
    fc.assert(fc.property(arbitrary, holds), { seed, numRuns });
  } catch (error) {
    const replay = `PROPERTY_SEED=${seed} PROPERTY_RUNS=${numRuns} npx vitest run --project unit <this file>`;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}; replay with: ${replay}\n${reason}`, { cause: error });
  }
}
