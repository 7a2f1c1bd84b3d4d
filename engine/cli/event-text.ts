// Events of a node as a line for people; null for those that would only be noise in a terminal.
import pc from 'picocolors';
import type { NodeEvent } from '../protocol/node-status.ts';

export function describeEvent(event: NodeEvent['event']): string | null {
  switch (event.type) {
    case 'roleChanged':
      if (event.to === 'leader') return null; // leaderElected says more.
      return event.to === 'follower'
        ? `${pc.cyan('follower')} in term ${event.term}${event.leaderId === 0 ? '' : ` of n${event.leaderId}`}: ${event.reason}`
        : `${pc.yellow(event.to === 'candidate' ? 'candidate' : 'asks for pre-votes')} in term ${event.term}: ${event.reason}`;
    case 'leaderElected':
      return `${pc.green(`leader of term ${event.term}`)}, votes of ${event.votes.map((id) => `n${id}`).join(', ')}`;
    case 'leaderChanged':
      return event.leaderId === 0 ? `no leader in term ${event.term}` : null;
    case 'logTruncated':
      return `dropped uncommitted entries ${event.fromIndex} to ${event.toIndex - 1}: the leader of term ${event.term} has others`;
    case 'configurationChanged':
      return `${event.committed ? pc.green('members committed') : 'members now'}: ${event.reason}`;
    case 'quorumLost':
      return pc.yellow(`lost its quorum in term ${event.term} and steps down`);
    case 'recovery':
      return pc.yellow(event.message);
    case 'diskFailed':
      return pc.red(`disk failed: ${event.operation} ${event.code}: ${event.message}`);
    case 'alarmRaised':
      return pc.red(`alarm ${event.alarm}: ${event.message}`);
    case 'alarmCleared':
      return `alarm ${event.alarm} is over`;
    default:
      return null;
  }
}
