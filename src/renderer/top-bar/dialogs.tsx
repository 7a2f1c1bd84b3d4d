// The dialogs of the whole window: reset, and the list of shortcuts.
import { Dialog } from 'radix-ui';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { useActions, useCluster, useInterface, usePanel } from '../store/panel-context.tsx';
import { SHORTCUTS } from './shortcuts.ts';

export function ResetDialog() {
  const { ui } = usePanel();
  const actions = useActions();
  const open = useInterface((state) => state.overlay === 'reset');
  const dataDir = useCluster(({ info }) => info?.dataDir ?? '');
  if (!open) return null;
  const confirmation = {
    title: 'Reset the cluster?',
    description: (
      <span className="text-dim">
        All nodes are killed, their folders are emptied and a new cluster of three starts. Every key and the
        whole log are gone for good, folders of removed nodes too.
      </span>
    ),
    details: [],
    confirm: 'Reset cluster',
    cancel: 'Keep it',
    onConfirm: () => void actions.resetCluster(),
  };
  return (
    <Confirm confirmation={confirmation} onClose={() => ui.setState({ overlay: null })}>
      {dataDir === '' ? null : (
        <p className="selectable mt-3 rounded-md bg-sunken px-2.5 py-1.5 font-mono text-small break-all text-dim">
          {dataDir}
        </p>
      )}
    </Confirm>
  );
}

export function ShortcutsDialog() {
  const { ui } = usePanel();
  const open = useInterface((state) => state.overlay === 'shortcuts');
  return (
    <Dialog.Root open={open} onOpenChange={(next) => (next ? undefined : ui.setState({ overlay: null }))}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className="dialog floating" aria-describedby={undefined}>
          <Dialog.Title className="mb-3 text-figure font-semibold">Keyboard shortcuts</Dialog.Title>
          <dl className="grid gap-1.5">
            {SHORTCUTS.map(({ keys, does }) => (
              <div key={does} className="flex items-center justify-between gap-4">
                <dt className="text-dim">{does}</dt>
                <dd className="flex gap-1">
                  {keys.map((key) => (
                    <kbd key={key} className="kbd">
                      {key}
                    </kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
          <div className="mt-5 flex justify-end">
            <Dialog.Close asChild>
              <Button>Close</Button>
            </Dialog.Close>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
