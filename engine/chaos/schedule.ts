// What will go wrong and when: drawn from the seed alone, before anything runs. Whom a fault hits is a choice among
// those that fit at its moment, and that choice is drawn here too.
import { Random } from '../simulator/random.ts';
import { CHAOS_FAULT_KINDS, CHAOS_FAULTS, type ChaosFault } from './fault-kinds.ts';

export interface PlannedFault {
  /** Its place in the schedule, from 1. */
  number: number;
  /** Since the faults began. */
  atMs: number;
  kind: ChaosFault;
  /** The leader rather than any node. */
  leader: boolean;
  /** From 0 to below 1: which of those that fit. */
  pick: number;
  durationMs: number;
  /** From 0 to below 1: how slow, how lossy. */
  intensity: number;
  /** For what the fault draws itself: which bytes tear, which bit flips. */
  seed: number;
}

export interface ScheduleOptions {
  seed: number;
  /** The last fault begins before this, and what lasts longer is ended by the healing. */
  durationMs: number;
  /** Only these kinds; all when absent. */
  kinds?: readonly ChaosFault[] | undefined;
}

/** Load without faults at the beginning: the report shows what is normal here. */
export const CALM_MS = 1500;

/** Between the begins of two faults, half open. Often shorter than a fault lasts: they overlap. */
const INTERVAL_MS = [200, 3000] as const;
/** Share of faults that come right after the one before, while whatever that began is still going on. */
const SALVO_SHARE = 0.2;
const SALVO_MS = [5, 250] as const;

/** Equal options, equal schedule. */
export function drawSchedule({
  seed,
  durationMs,
  kinds = CHAOS_FAULT_KINDS,
}: ScheduleOptions): PlannedFault[] {
  const random = new Random(seed).fork('schedule');
  const urn = kinds.flatMap((kind) => Array.from({ length: CHAOS_FAULTS[kind].weight }, () => kind));
  const planned: PlannedFault[] = [];
  if (urn.length === 0) return planned;
  for (let atMs = CALM_MS; atMs < durationMs; ) {
    const kind = random.pick(urn);
    planned.push({
      number: planned.length + 1,
      atMs,
      kind,
      leader: random.chance(0.45),
      pick: random.next(),
      durationMs: random.within(CHAOS_FAULTS[kind].durationMs),
      intensity: random.next(),
      seed: random.below(2 ** 31),
    });
    atMs += random.within(random.chance(SALVO_SHARE) ? SALVO_MS : INTERVAL_MS);
  }
  return planned;
}
