// What each call may carry, for the host's side of both carriers. Nothing of a window is believed unparsed.
import { z } from 'zod';
import type { CallArgument, CallChannel } from './contract.ts';

const nodeId = z.int().min(1).max(1_000_000);
const seed = z.int().min(0).max(0xffff_ffff);
const faultId = z.string().min(1).max(100);
const milliseconds = z.number().min(0).max(600_000);
const probability = z.number().min(0).max(1);

const diskOperation = z.enum([
  'open',
  'read',
  'write',
  'sync',
  'rename',
  'truncate',
  'unlink',
  'readdir',
  'syncFolder',
]);

const diskEffect = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('error'), code: z.enum(['EIO', 'ENOSPC']) }),
  z.strictObject({ kind: z.literal('delay'), delayMs: milliseconds }),
  z.strictObject({ kind: z.literal('hang') }),
  z.strictObject({ kind: z.literal('shortWrite') }),
  z.strictObject({ kind: z.literal('bitFlip') }),
  z.strictObject({ kind: z.literal('lyingSync') }),
]);

const diskFault = z.strictObject({
  id: faultId,
  operations: z.array(diskOperation).min(1).max(20),
  effect: diskEffect,
  pathContains: z.string().max(1000).optional(),
  countMax: z.int().min(1).optional(),
  probability: probability.optional(),
});

const linkEffect = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cut') }),
  z.strictObject({ kind: z.literal('delay'), delayMs: milliseconds, jitterMs: milliseconds }),
  z.strictObject({ kind: z.literal('loss'), probability }),
]);

const linkFault = z.strictObject({
  id: faultId,
  peer: nodeId,
  direction: z.enum(['inbound', 'outbound', 'both']),
  effect: linkEffect,
});

const nothing = z.undefined();
const oneNode = z.strictObject({ nodeId });

/** The longest line the console takes; a value of the largest size still fits. */
export const CONSOLE_LINE_CHARACTERS_MAX = 16 * 1024 * 1024;

/** channel -> the schema of its argument. */
export const CALL_SCHEMAS: { readonly [C in CallChannel]: z.ZodType<CallArgument<C>> } = {
  'app:info': nothing,
  'cluster:view': nothing,
  'cluster:reset': nothing,
  'cluster:heal': nothing,
  'cluster:powerCut': z.strictObject({ seed: seed.optional() }),
  'node:kill': oneNode,
  'node:pause': oneNode,
  'node:resume': oneNode,
  'node:restart': oneNode,
  'node:stop': oneNode,
  'node:stepDown': z.strictObject({ nodeId, target: nodeId.optional() }),
  'node:campaign': oneNode,
  'node:powerCut': z.strictObject({ nodeId, seed: seed.optional() }),
  'node:snapshot': oneNode,
  'node:corruptRecord': z.strictObject({
    nodeId,
    index: z
      .int()
      .min(1)
      .max(2 ** 48)
      .optional(),
    seed: seed.optional(),
  }),
  'node:wipe': oneNode,
  'member:add': z.strictObject({ nodeId: nodeId.optional() }),
  'member:promote': oneNode,
  'member:remove': z.strictObject({ nodeId, folder: z.enum(['setAside', 'delete']) }),
  'fault:applyDisk': z.strictObject({ nodeId, fault: diskFault }),
  'fault:applyLink': z.strictObject({ nodeId, fault: linkFault }),
  'fault:remove': z.strictObject({ nodeId, faultId }),
  'console:execute': z.strictObject({ line: z.string().max(CONSOLE_LINE_CHARACTERS_MAX) }),
  'workload:start': z.strictObject({
    ratePerSecond: z.number().min(0).max(1_000_000),
    valueBytes: z.int().min(0).max(1_048_576),
    clients: z.int().min(1).max(1000),
    writeRatio: probability,
  }),
  'workload:stop': nothing,
};

/** Parses `argument` for `channel`, or throws an Error whose message names the field and what is wrong with it. */
export function parseCallArgument<C extends CallChannel>(channel: C, argument: unknown): CallArgument<C> {
  // JSON knows no undefined: the WebSocket carrier's null stands for it.
  const parsed = CALL_SCHEMAS[channel].safeParse(argument === null ? undefined : argument);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const path = issue.path.join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw new Error(`${channel} was refused: ${problems.join('; ')}`);
}
