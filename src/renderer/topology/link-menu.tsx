// The label in the middle of a link: its round trip and condition, and behind it the menu to cut, slow and heal.
import { ArrowLeft, ArrowRight, ArrowRightLeft, Scissors, Timer, Wand2 } from 'lucide-react';
import { memo, useState } from 'react';
import { nodeName } from '../model/appearance.ts';
import { shortCount } from '../model/figures.ts';
import { type LinkState, linkCondition } from '../model/links.ts';
import type { Point } from '../model/topology-layout.ts';
import { AskNumber, type NumberQuestion } from '../parts/ask-number.tsx';
import { MenuButton, type MenuEntry } from '../parts/menu.tsx';
import type { Actions } from '../store/actions.ts';
import { useActions, usePulses } from '../store/panel-context.tsx';

const ICON = 14;

export interface LinkMenuProps {
  link: LinkState;
  middle: Point;
  /** One of many that carries nothing now: a dot, until something is wrong with it or somebody points at it. */
  quiet: boolean;
  /** There is room for one figure. */
  brief: boolean;
  open: boolean;
  onOpenChange: (key: string, open: boolean) => void;
}

export const LinkMenu = memo(function LinkMenu({
  link,
  middle,
  quiet,
  brief,
  open,
  onOpenChange,
}: LinkMenuProps) {
  const actions = useActions();
  const [question, setQuestion] = useState<NumberQuestion | null>(null);
  const entriesPerSecond = usePulses((pulses) => {
    const there = pulses[link.a]?.lanes.get(link.b)?.entriesPerSecond ?? 0;
    const back = pulses[link.b]?.lanes.get(link.a)?.entriesPerSecond ?? 0;
    return shortCount(Math.round(Math.max(there, back)));
  });
  const condition = linkCondition(link);
  const label = `Link ${nodeName(link.a)}–${nodeName(link.b)}`;
  const words = wordsOf(link, entriesPerSecond);
  return (
    <>
      <MenuButton
        label={label}
        align="center"
        entries={entriesOf(actions, link, setQuestion)}
        open={open}
        onOpenChange={(next) => onOpenChange(`${link.a}-${link.b}`, next)}
      >
        <button
          type="button"
          className="link-label"
          aria-label={`${label}: ${words}`}
          data-testid={`link-${link.a}-${link.b}`}
          data-condition={condition}
          data-quiet={quiet && condition === 'whole' && link.connected}
          style={{ left: middle.x, top: middle.y }}
        >
          {condition === 'cut' || condition === 'halfCut' ? <Scissors size={12} /> : null}
          {condition === 'slow' ? <Timer size={12} /> : null}
          <span className="link-words">{brief ? briefly(words) : words}</span>
        </button>
      </MenuButton>
      {question === null ? null : <AskNumber question={question} onClose={() => setQuestion(null)} />}
    </>
  );
});

/** `84 entries/s · 48 ms` as `84/s`. */
function briefly(words: string): string {
  return (words.split(' · ')[0] ?? words).replace(' entries/s', '/s').replace('no connection', 'none');
}

function wordsOf(link: LinkState, entriesPerSecond: string): string {
  switch (linkCondition(link)) {
    case 'cut':
      return 'cut';
    case 'halfCut': {
      const lane = link.forward.cut ? link.forward : link.backward;
      return `${nodeName(lane.from)} → ${nodeName(lane.to)} cut`;
    }
    case 'slow': {
      const delayMs = Math.max(link.forward.delayMs, link.backward.delayMs);
      const loss = Math.max(link.forward.loss, link.backward.loss);
      const parts = [
        delayMs > 0 ? `+${delayMs} ms` : '',
        loss > 0 ? `loses ${Math.round(loss * 100)} %` : '',
      ];
      return parts.filter((part) => part !== '').join(', ');
    }
    case 'whole': {
      const trip = link.roundTripMs === null ? '' : `${link.roundTripMs} ms`;
      const rate = entriesPerSecond === '0' ? '' : `${entriesPerSecond} entries/s`;
      const idle = link.connected ? 'idle' : 'no connection';
      return [rate, trip].filter((part) => part !== '').join(' · ') || idle;
    }
  }
}

function entriesOf(actions: Actions, link: LinkState, ask: (question: NumberQuestion) => void): MenuEntry[] {
  const { a, b } = link;
  const [nameA, nameB] = [nodeName(a), nodeName(b)];
  const { a: aliveA, b: aliveB } = link.hasProcess;
  const neither = !aliveA && !aliveB;
  // A fault lives in a process: put it on an end that has one.
  const [at, peer] = aliveA ? [a, b] : [b, a];
  const oneWay = (from: number, to: number) =>
    aliveA === (from === a) || !aliveB === (from === a)
      ? actions.cutLink(from, to, 'outbound')
      : actions.cutLink(to, from, 'inbound');
  const slow = (delayMs: number) => void actions.slowLink(at, peer, delayMs);
  return [
    { kind: 'label', label: `Link ${nameA}–${nameB}` },
    {
      kind: 'item',
      label: 'Cut both ways',
      icon: <ArrowRightLeft size={ICON} />,
      tone: 'danger',
      disabled: neither || (link.forward.cut && link.backward.cut),
      onSelect: () => void actions.cutLink(at, peer, 'both'),
    },
    {
      kind: 'item',
      label: `Cut ${nameA} → ${nameB}`,
      icon: <ArrowRight size={ICON} />,
      disabled: neither || link.forward.cut,
      onSelect: () => void oneWay(a, b),
    },
    {
      kind: 'item',
      label: `Cut ${nameB} → ${nameA}`,
      icon: <ArrowLeft size={ICON} />,
      disabled: neither || link.backward.cut,
      onSelect: () => void oneWay(b, a),
    },
    {
      kind: 'sub',
      label: 'Slow by',
      icon: <Timer size={ICON} />,
      entries: [
        ...[10, 50, 200].map(
          (delayMs): MenuEntry => ({
            kind: 'item',
            label: `${delayMs} ms`,
            disabled: neither,
            onSelect: () => slow(delayMs),
          }),
        ),
        {
          kind: 'item',
          label: 'Another delay…',
          disabled: neither,
          onSelect: () =>
            ask({
              title: `Slow the link ${nameA}–${nameB}`,
              description: 'Every message waits this long, in both directions.',
              unit: 'ms',
              initial: 100,
              min: 1,
              max: 60_000,
              confirm: 'Slow the link',
              onAnswer: slow,
            }),
        },
      ],
    },
    { kind: 'separator', id: 'heal' },
    {
      kind: 'item',
      label: 'Heal this link',
      icon: <Wand2 size={ICON} />,
      disabled: link.faults.length === 0,
      onSelect: () => void actions.healLink(link),
    },
  ];
}
