// The names of all channels as values, for the carriers' allow-lists. The records make the compiler complain
// when the contract grows and this list does not.
import type { CallChannel, PushChannel } from './contract.ts';

const CALLS: Record<CallChannel, true> = {
  'app:info': true,
  'cluster:view': true,
  'cluster:reset': true,
  'cluster:heal': true,
  'cluster:powerCut': true,
  'node:kill': true,
  'node:pause': true,
  'node:resume': true,
  'node:restart': true,
  'node:stop': true,
  'node:stepDown': true,
  'node:campaign': true,
  'node:powerCut': true,
  'node:snapshot': true,
  'node:corruptRecord': true,
  'node:wipe': true,
  'member:add': true,
  'member:promote': true,
  'member:remove': true,
  'fault:applyDisk': true,
  'fault:applyLink': true,
  'fault:remove': true,
  'console:execute': true,
  'workload:start': true,
  'workload:stop': true,
};

const PUSHES: Record<PushChannel, true> = { 'cluster:batch': true };

export const CALL_CHANNELS = Object.keys(CALLS) as readonly CallChannel[];
export const PUSH_CHANNELS = Object.keys(PUSHES) as readonly PushChannel[];

export function isCallChannel(name: unknown): name is CallChannel {
  return typeof name === 'string' && Object.hasOwn(CALLS, name);
}

export function isPushChannel(name: unknown): name is PushChannel {
  return typeof name === 'string' && Object.hasOwn(PUSHES, name);
}
