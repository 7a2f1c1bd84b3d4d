// The dialogs of the whole window: reset, and the list of shortcuts.
import { AlertDialog, Dialog } from 'radix-ui';
import { Button } from '../parts/button.tsx';
import { useActions, useCluster, useInterface, usePanel } from '../store/panel-context.tsx';
import { SHORTCUTS } from './shortcuts.ts';

export function ResetDialog() {
  const { ui } = usePanel();
  const actions = useActions();
  const open = useInterface((state) => state.overlay === 'reset');
  const dataDir = useCluster(({ info }) => info?.dataDir ?? '');
  return (
    <AlertDialog.Root
      open={open}
      onOpenChange={(next) => (next ? undefined : ui.setState({ overlay: null }))}
    >
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="veil" />
        <AlertDialog.Content className="dialog floating">
          <AlertDialog.Title className="text-figure font-semibold">Reset the cluster?</AlertDialog.Title>
          <AlertDialog.Description className="mt-1 text-dim">
            All nodes are killed, their folders are emptied and a new cluster of three starts. Every key and
            the whole log are gone for good, folders of removed nodes too.
          </AlertDialog.Description>
          {dataDir === '' ? null : (
            <p className="selectable mt-3 rounded-md bg-sunken px-2.5 py-1.5 font-mono text-small break-all text-dim">
              {dataDir}
            </p>
          )}
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>Keep it</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button kind="danger" onClick={() => void actions.resetCluster()}>
                Reset cluster
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
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
