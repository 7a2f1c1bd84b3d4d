// A dialog before something that cannot be taken back. It says what will happen, and the safe way is the default.
import { AlertDialog } from 'radix-ui';
import { Button } from './button.tsx';

export interface Confirmation {
  title: string;
  description: string;
  /** Paragraphs under the description: what follows from it. */
  details: readonly string[];
  confirm: string;
  cancel: string;
  onConfirm: () => void;
}

export function Confirm({ confirmation, onClose }: { confirmation: Confirmation; onClose: () => void }) {
  return (
    <AlertDialog.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="veil" />
        <AlertDialog.Content className="dialog floating">
          <AlertDialog.Title className="text-figure font-semibold">{confirmation.title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-1 text-text">
            {confirmation.description}
          </AlertDialog.Description>
          {confirmation.details.map((detail) => (
            <p key={detail} className="mt-2 text-dim">
              {detail}
            </p>
          ))}
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>{confirmation.cancel}</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button kind="danger" onClick={confirmation.onConfirm}>
                {confirmation.confirm}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
