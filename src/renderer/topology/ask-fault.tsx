// A disk fault by its parts: which calls, what becomes of them, how often, on which files.
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import type { DiskEffect, DiskFault, DiskOperation } from '../../../engine/protocol/faults.ts';
import { nodeName } from '../model/appearance.ts';
import { diskFaultWords } from '../model/fault-words.ts';
import { Button } from '../parts/button.tsx';
import { useActions } from '../store/panel-context.tsx';

const OPERATIONS: readonly DiskOperation[] = [
  'write',
  'sync',
  'read',
  'open',
  'rename',
  'truncate',
  'unlink',
  'readdir',
  'syncFolder',
];

const EFFECTS = {
  EIO: { label: 'fails with EIO', only: null },
  ENOSPC: { label: 'fails with ENOSPC', only: null },
  delay: { label: 'takes longer', only: null },
  hang: { label: 'never returns', only: null },
  shortWrite: { label: 'writes half, then fails', only: 'write' },
  bitFlip: { label: 'turns one bit', only: 'write' },
  lyingSync: { label: 'reports success, syncs nothing', only: 'sync' },
} as const;

type EffectName = keyof typeof EFFECTS;

interface Draft {
  operation: DiskOperation;
  effect: EffectName;
  delayMs: string;
  /** Empty: until it is removed. */
  countMax: string;
  percent: string;
  /** Empty: any file. */
  pathContains: string;
}

const START: Draft = {
  operation: 'write',
  effect: 'EIO',
  delayMs: '200',
  countMax: '',
  percent: '100',
  pathContains: '',
};

/** Null when a figure is none, or out of its range. */
export function faultOf(draft: Draft): Omit<DiskFault, 'id'> | null {
  const [delayMs, count, percent] = [Number(draft.delayMs), Number(draft.countMax), Number(draft.percent)];
  if (draft.effect === 'delay' && !(draft.delayMs.trim() !== '' && delayMs >= 1 && delayMs <= 60_000))
    return null;
  if (draft.countMax.trim() !== '' && !(Number.isInteger(count) && count >= 1)) return null;
  if (!(draft.percent.trim() !== '' && percent > 0 && percent <= 100)) return null;
  return {
    operations: [draft.operation],
    effect: effectOf(draft.effect, delayMs),
    ...(draft.countMax.trim() === '' ? {} : { countMax: count }),
    ...(percent === 100 ? {} : { probability: percent / 100 }),
    ...(draft.pathContains === '' ? {} : { pathContains: draft.pathContains }),
  };
}

function effectOf(name: EffectName, delayMs: number): DiskEffect {
  if (name === 'EIO' || name === 'ENOSPC') return { kind: 'error', code: name };
  return name === 'delay' ? { kind: 'delay', delayMs } : { kind: name };
}

export function AskFault({ nodeId, onClose }: { nodeId: number; onClose: () => void }) {
  const actions = useActions();
  const [draft, setDraft] = useState(START);
  const fault = faultOf(draft);
  const change = (changes: Partial<Draft>) =>
    setDraft((before) => {
      const next = { ...before, ...changes };
      // A bit flip of a rename means nothing: the effect follows the call.
      const { only } = EFFECTS[next.effect];
      return only === null || only === next.operation ? next : { ...next, effect: 'EIO' };
    });
  const offered = (Object.keys(EFFECTS) as EffectName[]).filter((name) => {
    const { only } = EFFECTS[name];
    return only === null || only === draft.operation;
  });
  return (
    <Dialog.Root open onOpenChange={(open) => (open ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className="dialog floating">
          <Dialog.Title className="text-figure font-semibold">
            A fault for {nodeName(nodeId)}'s disk
          </Dialog.Title>
          <Dialog.Description className="mt-1 text-dim">
            It is in force from the next such call on, and shows as a chip that removes it.
          </Dialog.Description>
          <form
            className="mt-4 grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2"
            onSubmit={(event) => {
              event.preventDefault();
              if (fault === null) return;
              void actions.applyDisk(nodeId, 'fault', fault);
              onClose();
            }}
          >
            <Choice
              label="Call"
              value={draft.operation}
              options={OPERATIONS.map((name) => [name, name])}
              onChange={(value) =>
                change({ operation: OPERATIONS.find((name) => name === value) ?? 'write' })
              }
            />
            <Choice
              label="Effect"
              value={draft.effect}
              options={offered.map((name) => [name, EFFECTS[name].label])}
              onChange={(value) => change({ effect: offered.find((name) => name === value) ?? 'EIO' })}
            />
            {draft.effect === 'delay' ? (
              <Field
                label="Longer by"
                unit="ms"
                value={draft.delayMs}
                onChange={(delayMs) => change({ delayMs })}
              />
            ) : null}
            <Field
              label="Share of calls"
              unit="%"
              value={draft.percent}
              onChange={(percent) => change({ percent })}
            />
            <Field
              label="Times"
              unit="empty: until removed"
              value={draft.countMax}
              onChange={(countMax) => change({ countMax })}
            />
            <Field
              label="Files with"
              unit="empty: all"
              placeholder=".snap"
              value={draft.pathContains}
              onChange={(pathContains) => change({ pathContains })}
            />
            <p className={`col-span-2 mt-1 ${fault === null ? 'text-bad' : 'text-dim'}`} aria-live="polite">
              {fault === null ? 'A figure is missing or out of range.' : sentence(fault)}
            </p>
            <div className="col-span-2 mt-3 flex justify-end gap-2">
              <Button onClick={onClose}>Cancel</Button>
              <Button type="submit" kind="primary" disabled={fault === null}>
                Apply fault
              </Button>
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function sentence(fault: Omit<DiskFault, 'id'>): string {
  const words = diskFaultWords({ ...fault, id: '' });
  return `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}.`;
}

function Choice({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onChange: (value: string) => void;
}) {
  return (
    <label className="contents">
      <span className="text-dim">{label}</span>
      <select
        aria-label={label}
        className="field"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Field({
  label,
  unit,
  value,
  placeholder,
  onChange,
}: {
  label: string;
  unit: string;
  value: string;
  placeholder?: string;
  onChange: (value: string) => void;
}) {
  return (
    <label className="contents">
      <span className="text-dim">{label}</span>
      <span className="flex items-center gap-2">
        <input
          className="field max-w-32"
          aria-label={label}
          value={value}
          placeholder={placeholder}
          onChange={(event) => onChange(event.target.value)}
        />
        <span className="text-small text-faint">{unit}</span>
      </span>
    </label>
  );
}
