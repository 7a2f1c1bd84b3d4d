// Runs a fast-check property, synchronous or not; a failure names the seed and how to replay it.
import fc from 'fast-check';

/** `PROPERTY_SEED` replays a printed seed, `PROPERTY_RUNS` asks for more than the usual number of runs. */
export async function checkProperty<Values>(
  property: fc.IProperty<Values> | fc.IAsyncProperty<Values>,
  file: string,
): Promise<void> {
  const seed = Number(process.env.PROPERTY_SEED ?? Math.trunc(Math.random() * 2 ** 31));
  const numRuns = Number(process.env.PROPERTY_RUNS ?? 200);
  try {
    await fc.assert(property as fc.IAsyncProperty<Values>, { seed, numRuns });
  } catch (error) {
    const replay = `PROPERTY_SEED=${seed} PROPERTY_RUNS=${numRuns} npx vitest run --project unit ${file}`;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}; replay with: ${replay}\n${reason}`, { cause: error });
  }
}
