// The load generator: how much, from how many, and what is coming back.
import { Activity, Play, Square } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useId } from 'react';
import type { WorkloadStatus } from '../../shared/cluster-view.ts';
import type { WorkloadRequest } from '../../shared/contract.ts';
import { count, shortCount } from '../model/figures.ts';
import { Button } from '../parts/button.tsx';
import { useActions, useInterface, usePanel, useView } from '../store/panel-context.tsx';

export function LoadPopover() {
  const { ui } = usePanel();
  const workload = useView((view) => view.workload);
  /** A load that runs may have been started elsewhere, in the console for one: the form starts from it. */
  const onOpenChange = (open: boolean) => {
    if (!open || !workload.running) return;
    const { ratePerSecond, valueBytes, clients, writeRatio } = workload;
    ui.setState({ loadRequest: { ratePerSecond, valueBytes, clients, writeRatio } });
  };
  return (
    <Popover.Root onOpenChange={onOpenChange}>
      <Popover.Trigger asChild>
        <Button aria-label={workload.running ? 'Load, running' : 'Load'} data-testid="load">
          <Activity size={14} className={workload.running ? 'text-good' : ''} />
          {workload.running ? `Load ${rateWords(workload.ratePerSecond)}` : 'Load'}
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="floating w-76 p-4" align="end" sideOffset={6} aria-label="Load generator">
          <LoadForm workload={workload} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function rateWords(ratePerSecond: number): string {
  return ratePerSecond === 0 ? 'max' : `${shortCount(ratePerSecond)}/s`;
}

interface FieldSpec {
  name: keyof WorkloadRequest;
  label: string;
  unit: string;
  min: number;
  max: number;
  /** The request's value is this many times smaller than what the field shows. */
  scale: number;
}

const FIELDS: readonly FieldSpec[] = [
  {
    name: 'ratePerSecond',
    label: 'Rate',
    unit: 'op/s, 0: no limit',
    min: 0,
    max: 1_000_000,
    scale: 1,
  },
  { name: 'clients', label: 'Clients', unit: 'at once', min: 1, max: 1000, scale: 1 },
  { name: 'valueBytes', label: 'Value size', unit: 'bytes', min: 0, max: 1_048_576, scale: 1 },
  { name: 'writeRatio', label: 'Writes', unit: '% of operations', min: 0, max: 100, scale: 100 },
];

function LoadForm({ workload }: { workload: WorkloadStatus }) {
  const { ui } = usePanel();
  const actions = useActions();
  const request = useInterface((state) => state.loadRequest);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void actions.startLoad(request);
      }}
    >
      <h2 className="text-title font-semibold">Load generator</h2>
      <p className="mb-3 text-dim">Real clients of the cluster, writing and reading over TCP.</p>
      <div className="grid gap-2">
        {FIELDS.map((field) => (
          <LoadField
            key={field.name}
            field={field}
            value={Math.round(request[field.name] * field.scale)}
            onChange={(value) =>
              ui.setState({ loadRequest: { ...request, [field.name]: value / field.scale } })
            }
          />
        ))}
      </div>
      {workload.running || workload.acknowledged > 0 ? <LoadResult workload={workload} /> : null}
      <div className="mt-4 flex justify-end gap-2">
        <Button type="submit" kind={workload.running ? 'plain' : 'primary'}>
          <Play size={13} /> {workload.running ? 'Apply' : 'Start load'}
        </Button>
        {workload.running ? (
          <Button kind="primary" onClick={() => void actions.stopLoad()}>
            <Square size={12} /> Stop load
          </Button>
        ) : null}
      </div>
    </form>
  );
}

function LoadField(props: { field: FieldSpec; value: number; onChange: (value: number) => void }) {
  const { field, value, onChange } = props;
  const id = useId();
  return (
    <div className="grid grid-cols-[76px_84px_1fr] items-center gap-2">
      <label htmlFor={id}>{field.label}</label>
      <input
        id={id}
        type="number"
        className="field"
        min={field.min}
        max={field.max}
        step={1}
        required
        value={value}
        onChange={(event) => {
          const next = event.target.valueAsNumber;
          if (Number.isFinite(next)) onChange(Math.min(field.max, Math.max(0, next)));
        }}
      />
      <span className="text-small text-faint">{field.unit}</span>
    </div>
  );
}

function LoadResult({ workload }: { workload: WorkloadStatus }) {
  const figures = [
    ['Acknowledged', workload.acknowledged, ''],
    ['Refused', workload.failed, workload.failed > 0 ? 'text-bad' : ''],
    ['Unknown', workload.unknown, workload.unknown > 0 ? 'text-warn' : ''],
  ] as const;
  return (
    <dl className="mt-3 grid grid-cols-3 gap-2 rounded-md bg-sunken p-2.5">
      {figures.map(([name, value, colour]) => (
        <div key={name}>
          <dt className="text-small text-faint">{name}</dt>
          <dd className={`font-semibold ${colour}`}>{count(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
