// What recovery decided, as an event with the rule behind it.
import type { HostEvent } from '../protocol/node-status.ts';
import type { RecoveryVerdict } from '../storage/types.ts';

/** Which rule of SPEC.md a verdict follows. */
const RULES: Record<RecoveryVerdict['kind'], string> = {
  tornTail: 'W7',
  corruption: 'W8',
  snapshotCorrupt: 'S3',
  folderEmpty: 'W1',
  leftover: 'W9',
};

export function recoveryEvent({ kind, message, lostBytes }: RecoveryVerdict): HostEvent {
  return { type: 'recovery', message, lostBytes, rule: RULES[kind] };
}
