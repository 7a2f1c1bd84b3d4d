// What a randomised run does to the members: changes proposed to whoever leads, and folders of nodes that left
// emptied, so that they come back with nothing.
import { configurationCodec } from '../../engine/protocol/configuration-codec.ts';
import type { ConfigurationChange } from '../../engine/raft/membership.ts';
import { members } from '../../engine/raft/quorum.ts';
import type { Raft } from '../../engine/raft/raft.ts';
import { type Configuration, type Entry, EntryKind } from '../../engine/raft/types.ts';

/** Any change that could make sense, and some that do not. */
export function drawChange(
  { voters, learners }: Configuration,
  ids: readonly number[],
  random: () => number,
): ConfigurationChange {
  const pick = (list: readonly number[]): number => list[Math.floor(random() * list.length)] ?? 99;
  const outside = ids.filter((id) => !voters.includes(id) && !learners.includes(id));
  const draw = random();
  if (draw < 0.4 && learners.length > 0) {
    const by = pick(learners);
    return random() < 0.7 ? { type: 'replace', id: pick(voters), by } : { type: 'promote', id: by };
  }
  if (draw < 0.55) return { type: 'remove', id: pick(random() < 0.8 ? voters : learners) };
  return { type: 'addLearner', member: { id: pick(outside), client: 'c', peer: 'p' } };
}

/** For good: it is in no configuration that the newest applied one could still give way to. */
export function hasLeft(id: number, rafts: readonly Raft[], applied: readonly Entry[]): boolean {
  const last = applied.findLast((entry) => entry.kind === EntryKind.configuration);
  const configuration = last === undefined ? null : configurationCodec.decode(last.data);
  if (configuration === null || members(configuration).includes(id)) return false;
  return rafts.every((raft) => !members(raft.configuration).includes(id));
}
