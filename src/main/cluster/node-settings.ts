// What a node is started with: where it listens, and whom it is told of. Who the members are is for its log to say;
// this only makes sure that a node without one begins from the right list.
import type { NodeId } from '../../../engine/raft/types.ts';
import type { ClusterFolder, NodeRecord } from './cluster-folder.ts';
import type { NodeSettings } from './node-launcher.ts';
import { HOST } from './node-ports.ts';

export function addressesOf({
  client,
  peer,
}: Pick<NodeRecord, 'client' | 'peer'>): Pick<NodeSettings, 'client' | 'peer'> {
  return { client: { host: HOST, port: client }, peer: { host: HOST, port: peer } };
}

/** `voters`: who votes now, as far as anybody said; null when nobody did. */
export function settingsOf(
  folder: ClusterFolder,
  nodeId: NodeId,
  voters: readonly NodeId[] | null,
): NodeSettings {
  const own = folder.nodes.find((node) => node.nodeId === nodeId);
  if (own === undefined) throw new Error(`n${nodeId} has no ports`);
  const wasMember = folder.isMember(nodeId);
  const told = toldOf(folder, own, wasMember && !folder.hasMemory(nodeId) ? voters : null);
  return {
    clusterId: folder.clusterId,
    wasMember,
    nodeId,
    dataDir: folder.nodeDir(nodeId),
    ...addressesOf(own),
    ...(own.joined ? { join: true } : {}),
    peers: told.map(({ nodeId: id, client, peer }) => ({
      id,
      peer: `${HOST}:${peer}`,
      client: `${HOST}:${client}`,
    })),
  };
}

/**
 * A founder whose log says nothing of members is told of the founders alone, those that have left among them: it
 * belongs to that cluster and to no other. One that knows the members, or joins, is told where everybody is. One
 * that has lost its memory must ask those that vote now.
 */
function toldOf(folder: ClusterFolder, own: NodeRecord, voters: readonly NodeId[] | null): NodeRecord[] {
  if (voters !== null) {
    return folder.nodes.filter((node) => node === own || (node.present && voters.includes(node.nodeId)));
  }
  const knows = own.joined || (own.told && folder.hasMemory(own.nodeId));
  return folder.nodes.filter(({ joined, present }) => (knows ? present : !joined));
}
