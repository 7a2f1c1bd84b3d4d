// A small dialog that asks for one number, such as how long a sync shall take.
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { Button } from './button.tsx';

export interface NumberQuestion {
  title: string;
  description: string;
  unit: string;
  initial: number;
  min: number;
  max: number;
  confirm: string;
  onAnswer: (value: number) => void;
}

export function AskNumber({ question, onClose }: { question: NumberQuestion; onClose: () => void }) {
  const [text, setText] = useState(String(question.initial));
  const value = Number(text);
  const valid =
    text.trim() !== '' && Number.isFinite(value) && value >= question.min && value <= question.max;
  return (
    <Dialog.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className="dialog floating">
          <Dialog.Title className="text-figure font-semibold">{question.title}</Dialog.Title>
          <Dialog.Description className="mt-1 text-dim">{question.description}</Dialog.Description>
          <form
            className="mt-4"
            onSubmit={(event) => {
              event.preventDefault();
              if (!valid) return;
              question.onAnswer(value);
              onClose();
            }}
          >
            <label className="flex items-center gap-2">
              <input
                className="field max-w-32"
                inputMode="decimal"
                aria-label={question.title}
                aria-invalid={!valid}
                value={text}
                onChange={(event) => setText(event.target.value)}
                onFocus={(event) => event.target.select()}
              />
              <span className="text-dim">{question.unit}</span>
            </label>
            <p className={`mt-1 text-small ${valid ? 'text-faint' : 'text-bad'}`}>
              From {question.min} to {question.max.toLocaleString('en-US')} {question.unit}.
            </p>
            <div className="mt-4 flex justify-end gap-2">
              <Button onClick={onClose}>Cancel</Button>
              <Button type="submit" kind="primary" disabled={!valid}>
                {question.confirm}
              </Button>
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
