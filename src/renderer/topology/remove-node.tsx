// The dialog before a node leaves: what it does to the majority, why it cannot be done now, what becomes of its folder.
import { AlertDialog } from 'radix-ui';
import { useState } from 'react';
import { nodeName } from '../model/appearance.ts';
import { removalWords } from '../model/member-words.ts';
import { Button } from '../parts/button.tsx';
import { useActions, useCluster } from '../store/panel-context.tsx';

export function RemoveNode({ nodeId, onClose }: { nodeId: number; onClose: () => void }) {
  const actions = useActions();
  const [deletes, setDeletes] = useState(false);
  const view = useCluster((state) => state.view);
  const name = nodeName(nodeId);
  const { refusal, details } = view === null ? { refusal: null, details: [] } : removalWords(view, nodeId);
  return (
    <AlertDialog.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="veil" />
        <AlertDialog.Content className="dialog floating">
          <AlertDialog.Title className="text-figure font-semibold">
            Remove {name} from the cluster?
          </AlertDialog.Title>
          <AlertDialog.Description className="mt-1 text-text">
            It is taken out of the members, and then its process stops. No key is lost.
          </AlertDialog.Description>
          {details.map((detail) => (
            <p key={detail} className="mt-2 text-dim">
              {detail}
            </p>
          ))}
          {refusal === null ? (
            <label className="mt-4 flex items-center gap-2">
              <input
                type="checkbox"
                checked={deletes}
                onChange={(event) => setDeletes(event.target.checked)}
              />
              <span>Delete its folder; otherwise it is set aside in the folder “removed”</span>
            </label>
          ) : (
            <p
              role="alert"
              className="mt-4 rounded-md bg-sunken px-3 py-2 text-bad ring-1 ring-line ring-inset"
            >
              Not now. {refusal}
            </p>
          )}
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>Keep {name}</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button
                kind="danger"
                disabled={refusal !== null}
                onClick={() => void actions.removeNode(nodeId, deletes ? 'delete' : 'setAside')}
              >
                Remove {name}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
