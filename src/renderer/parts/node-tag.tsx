// A node's name in its own colour, as it is used in the feed, the charts' legends and the inspector.
import type { NodeId } from '../../../engine/raft/types.ts';
import { nodeColour, nodeName } from '../model/appearance.ts';

export function NodeTag({ nodeId }: { nodeId: NodeId }) {
  return (
    <span className="inline-flex items-center gap-1.5 font-medium">
      <span aria-hidden="true" className="size-2 rounded-sm" style={{ background: nodeColour(nodeId) }} />
      {nodeName(nodeId)}
    </span>
  );
}
