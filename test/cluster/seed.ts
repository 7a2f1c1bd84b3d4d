// The seed of a randomised test: drawn anew each time, printed, and set by hand to replay a run.
import { randomInt } from 'node:crypto';
import { seededRandom } from '../../engine/storage/seeded-random.ts';

export interface SeededChoice {
  seed: number;
  /** From 0 (included) to `below`. */
  integer(below: number): number;
  pick<Value>(from: readonly Value[]): Value;
}

/** Prints the seed and how to replay it: the choices are the same then, the timing is the machine's. */
export function seededChoice(file: string): SeededChoice {
  const seed = Number(process.env.QUORUMLAB_SEED ?? randomInt(1, 2 ** 31));
  console.info(`seed ${seed}: QUORUMLAB_SEED=${seed} npx vitest run --project cluster ${file}`);
  const random = seededRandom(seed);
  const integer = (below: number): number => Math.floor(random() * below);
  return {
    seed,
    integer,
    pick: (from) => {
      const picked = from[integer(from.length)];
      if (picked === undefined) throw new Error('there is nothing to pick from');
      return picked;
    },
  };
}

/** How many rounds: `fallback`, or more where the environment asks for them. */
export function roundsOf(variable: string, fallback: number): number {
  const text = process.env[variable];
  if (text === undefined) return fallback;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`${variable} must be a whole number from 1 up`);
  return rounds;
}
