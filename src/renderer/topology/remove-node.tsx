// The dialog before a node leaves: what it does to the majority, why it cannot be done now, what becomes of its folder.
import { useState } from 'react';
import { nodeName } from '../model/appearance.ts';
import { removalWords } from '../model/member-words.ts';
import { Confirm } from '../parts/confirm.tsx';
import { useActions, useCluster } from '../store/panel-context.tsx';

export function RemoveNode({ nodeId, onClose }: { nodeId: number; onClose: () => void }) {
  const actions = useActions();
  const [deletes, setDeletes] = useState(false);
  const view = useCluster((state) => state.view);
  const name = nodeName(nodeId);
  const { refusal, details } = view === null ? { refusal: null, details: [] } : removalWords(view, nodeId);
  const confirmation = {
    title: `Remove ${name} from the cluster?`,
    description: 'It is taken out of the members, and then its process stops. No key is lost.',
    details,
    confirm: `Remove ${name}`,
    cancel: `Keep ${name}`,
    onConfirm: () => void actions.removeNode(nodeId, deletes ? 'delete' : 'setAside'),
  };
  return (
    <Confirm confirmation={confirmation} refusal={refusal} onClose={onClose}>
      <label className="mt-4 flex items-center gap-2">
        <input type="checkbox" checked={deletes} onChange={(event) => setDeletes(event.target.checked)} />
        <span>Delete its folder; otherwise it is set aside in the folder “removed”</span>
      </label>
    </Confirm>
  );
}
