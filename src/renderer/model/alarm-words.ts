// Alarms in plain words: short ones for chips, and whole sentences about a node.
import type { Alarm } from '../../../engine/protocol/node-status.ts';

const SHORT: Record<Alarm, string> = {
  noSpace: 'disk full',
  diskHung: 'disk hangs',
  refetching: 'refetching its log',
  noQuorum: 'no majority in reach',
};

export function alarmWords(alarm: Alarm): string {
  return SHORT[alarm];
}

/** `n2's disk hangs` */
export function alarmSentence(alarm: Alarm, name: string): string {
  switch (alarm) {
    case 'noSpace':
      return `${name}'s disk is full`;
    case 'diskHung':
      return `${name}'s disk hangs`;
    case 'refetching':
      return `${name} is refetching its log`;
    case 'noQuorum':
      return `${name} reaches no majority`;
  }
}

/** What follows from it, and how it ends. */
export function alarmAdvice(alarm: Alarm): string {
  switch (alarm) {
    case 'noSpace':
      return 'It acknowledges nothing and has given leadership away. It goes on by itself once there is room.';
    case 'diskHung':
      return 'A sync does not return. Leadership goes elsewhere until one does.';
    case 'refetching':
      return 'It has no vote and does not campaign until everything it may have acknowledged is back.';
    case 'noQuorum':
      return 'It has heard no leader for three election timeouts. Start or reconnect another node.';
  }
}
