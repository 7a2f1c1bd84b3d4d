// One line of the console and its answer, with the receipt folded away.
import { ChevronRight } from 'lucide-react';
import { memo, useState } from 'react';
import type { ConsoleLine } from '../../shared/console-line-view.ts';
import type { ConsoleReply } from '../../shared/contract.ts';
import { nodeName } from '../model/appearance.ts';
import { count, milliseconds, UNKNOWN } from '../model/figures.ts';
import type { ConsoleEntry } from '../store/interface-store.ts';

const TONES: Record<ConsoleLine['tone'], string> = {
  value: 'text-text',
  ok: 'text-good',
  error: 'text-bad',
  note: 'text-dim',
  table: 'text-text',
};

export const ConsoleEntryView = memo(function ConsoleEntryView({ entry }: { entry: ConsoleEntry }) {
  const { line, reply } = entry;
  return (
    <div className="py-1" data-ok={reply?.ok ?? 'pending'}>
      <div className="flex items-baseline gap-2">
        <span className="text-accent" aria-hidden="true">
          ›
        </span>
        <span className="min-w-0 flex-1 break-all whitespace-pre-wrap">{line}</span>
        {reply?.receipt == null ? null : <Receipt receipt={reply.receipt} />}
      </div>
      {reply === null ? <p className="pl-4 text-faint">…</p> : <Lines lines={reply.lines} />}
      {entry.forgotten > 0 ? (
        <p className="pl-4 text-faint">{count(entry.forgotten)} older lines are not kept</p>
      ) : null}
      <Lines lines={entry.watched} />
    </div>
  );
});

function Lines({ lines }: { lines: readonly ConsoleLine[] }) {
  return lines.map((line, position) => (
    <p
      // biome-ignore lint/suspicious/noArrayIndexKey: the lines of an answer never change.
      key={position}
      data-tone={line.tone}
      className={`pl-4 ${TONES[line.tone]} ${line.tone === 'table' ? 'overflow-x-auto whitespace-pre' : 'break-words whitespace-pre-wrap'}`}
    >
      {line.text}
    </p>
  ));
}

function Receipt({ receipt }: { receipt: NonNullable<ConsoleReply['receipt']> }) {
  const [open, setOpen] = useState(false);
  const { node, index, term, attempts, elapsedMs } = receipt;
  const facts = [
    ['served by', nodeName(node)],
    ['index', index === null ? UNKNOWN : count(index)],
    ['term', term === null ? UNKNOWN : count(term)],
    ['attempts', count(attempts)],
    ['took', milliseconds(elapsedMs)],
  ] as const;
  return (
    <span className="flex shrink-0 items-baseline gap-3 font-sans text-small text-faint">
      {open ? (
        <dl className="flex gap-3">
          {facts.map(([name, value]) => (
            <div key={name} className="flex gap-1">
              <dt>{name}</dt>
              <dd className="font-medium text-dim">{value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
      <button
        type="button"
        aria-expanded={open}
        aria-label={open ? 'Fold the receipt' : 'Unfold the receipt'}
        className="inline-flex items-center gap-1 rounded-sm hover:text-text"
        onClick={() => setOpen(!open)}
      >
        {open ? null : `${nodeName(node)} · ${milliseconds(elapsedMs)}`}
        <ChevronRight size={12} className={open ? 'rotate-180' : ''} />
      </button>
    </span>
  );
}
