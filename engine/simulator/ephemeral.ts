// Writes of keys that end, and of two keys that are only ever written together: nobody waits for them, and a checker
// watches what becomes of them.
import type { Command, Expiry, Operation } from '../protocol/command.ts';
import type { Random } from './random.ts';

const ENDING_KEYS = ['e0', 'e1', 'e2', 'e3'];
const PAIR = ['pair0', 'pair1'];
export const EPHEMERAL_KEYS: readonly string[] = [...ENDING_KEYS, ...PAIR];
/** Milliseconds, as ticks are: some end within a round trip, some after the next election. */
const LIFETIMES = [1, 5, 30, 200];

export function isEphemeral(key: string): boolean {
  return EPHEMERAL_KEYS.includes(key);
}

export function drawEphemeral(random: Random, number: number): Command {
  const key = random.pick(ENDING_KEYS);
  const value = `v${number}`;
  const after: Expiry = { type: 'after', ms: random.pick(LIFETIMES) };
  switch (random.below(8)) {
    case 0:
      return { type: 'delete', key };
    case 1:
      return { type: 'persist', key };
    case 2:
      return { type: 'expire', key, expiry: after, when: 'always' };
    case 3: {
      // As a whole or not at all; the second one ends with the first.
      const success = PAIR.map((each) => setting(each, value, after));
      return { type: 'txn', compare: [], success, failure: [], onFailure: 'abort' };
    }
    default:
      return setting(key, value, random.chance(0.2) ? { type: 'keep' } : after);
  }
}

function setting(key: string, value: string, expiry: Expiry): Operation {
  return { type: 'setWith', key, value, kind: 0, when: 'always', expiry, returnsPrevious: false };
}
