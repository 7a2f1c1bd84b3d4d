// What a node's start found on its disk, in two breaths: the verdict, and the facts behind it.
import type { RecoveryNote } from '../../shared/cluster-view.ts';
import { bytes, count } from './figures.ts';

/** By the rule of engine/SPEC.md that decided. */
const HEADLINES: Record<string, (lostBytes: number) => string> = {
  W7: (lostBytes) => `Cut a torn record of ${bytes(lostBytes)}`,
  W8: () => 'Found its log corrupt, kept what was whole',
  W1: () => 'Began with an empty folder',
  W9: () => 'Set something aside',
  S3: () => 'Found a snapshot corrupt and did not use it',
};

export function recoveryWords({ message, lostBytes, rule }: RecoveryNote): {
  headline: string;
  detail: string;
} {
  const headline = HEADLINES[rule.replace(/^\[|\]$/g, '')]?.(lostBytes) ?? 'Recovered its log';
  return { headline, detail: `${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.` };
}

/** `Refetching 41–97`; the end is unknown to a node that lost its whole memory until a leader has told it. */
export function refetchWords({ from, to }: { from: number; to: number }): string {
  if (to === 0) return 'Hearing the other nodes out first';
  return from >= to ? `Refetching ${count(to)}` : `Refetching ${count(from)}–${count(to)}`;
}
