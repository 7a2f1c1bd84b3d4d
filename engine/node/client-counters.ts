// What the client side of a node counts, per process: plain numbers, read by statuses and metrics.
import { LatencyWindow } from './latency-window.ts';

export class ClientCounters {
  readsTotal = 0;
  writesTotal = 0;
  errorsTotal = 0;
  redirectsTotal = 0;
  proposalsTotal = 0;
  proposalsFailedTotal = 0;
  entriesAppliedTotal = 0;
  leaderChangesTotal = 0;
  /** From the request's arrival to its reply. */
  readonly writeLatency = new LatencyWindow();
  readonly readLatency = new LatencyWindow();
}
