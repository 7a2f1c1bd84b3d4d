// A dialog before something that cannot be taken back. It says what will happen, and the safe way is the default.
import { AlertDialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';

export interface Confirmation {
  title: string;
  description: ReactNode;
  /** Paragraphs under the description: what follows from it. */
  details: readonly string[];
  confirm: string;
  cancel: string;
  onConfirm: () => void;
}

export interface ConfirmProps {
  confirmation: Confirmation;
  /** Why it cannot be done now: said in place of the children, and nothing can be confirmed. */
  refusal?: string | null;
  onClose: () => void;
  /** What there is to see or to choose before the answer. */
  children?: ReactNode;
}

export function Confirm({ confirmation, refusal = null, onClose, children }: ConfirmProps) {
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
          {refusal === null ? children : <Refusal why={refusal} />}
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>{confirmation.cancel}</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button kind="danger" disabled={refusal !== null} onClick={confirmation.onConfirm}>
                {confirmation.confirm}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

function Refusal({ why }: { why: string }) {
  return (
    <p role="alert" className="mt-4 rounded-md bg-sunken px-3 py-2 text-bad ring-1 ring-line ring-inset">
      Not now. {why}
    </p>
  );
}
