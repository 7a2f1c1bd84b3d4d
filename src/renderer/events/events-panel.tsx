// The events tab: the feed in plain words, filtered. Follows the newest until someone scrolls back.
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDownToLine, ListFilter, ScrollText } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { FeedItem } from '../../shared/cluster-view.ts';
import { nodeName } from '../model/appearance.ts';
import { type EventKind, isEcho, type Sentence, sentenceOf } from '../model/event-sentences.ts';
import { clockTime, count } from '../model/figures.ts';
import { Button } from '../parts/button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { NodeTag } from '../parts/node-tag.tsx';
import { ScrollRegion } from '../parts/scroll-region.tsx';
import { useInterface, usePanel, useView } from '../store/panel-context.tsx';

interface Row {
  item: FeedItem;
  sentence: Sentence;
}

const ROW_PX = 24;

const KINDS: readonly { kind: EventKind; label: string }[] = [
  { kind: 'election', label: 'Elections' },
  { kind: 'members', label: 'Members' },
  { kind: 'vote', label: 'Votes' },
  { kind: 'message', label: 'Messages' },
  { kind: 'log', label: 'Log' },
  { kind: 'process', label: 'Processes' },
  { kind: 'fault', label: 'Faults' },
  { kind: 'you', label: 'You' },
];

/** Feed items never change, so each is put into words once. */
const sentences = new WeakMap<FeedItem, Sentence>();

function rowOf(item: FeedItem): Row {
  let sentence = sentences.get(item);
  if (sentence === undefined) {
    sentence = sentenceOf(item);
    sentences.set(item, sentence);
  }
  return { item, sentence };
}

export function EventsPanel() {
  const live = useView((view) => view.feed);
  const dropped = useView((view) => view.dropped);
  const hidden = useInterface((state) => state.hiddenKinds);
  const [search, setSearch] = useState('');
  /** The feed as it was when someone began to read back; null while it follows. */
  const [held, setHeld] = useState<readonly FeedItem[] | null>(null);
  const feed = held ?? live;
  const rows = useMemo(() => filterRows(feed, hidden, search), [feed, hidden, search]);
  const newest = live.at(-1)?.id ?? 0;
  const missed = held === null ? 0 : newest - (held.at(-1)?.id ?? 0);
  return (
    <div className="flex h-full flex-col bg-sunken">
      <Filters search={search} onSearch={setSearch} dropped={dropped} />
      {rows.length === 0 ? (
        <EmptyState
          icon={<ScrollText size={20} />}
          title={live.length === 0 ? 'Nothing has happened yet' : 'No event fits the filter'}
        >
          {live.length === 0 ? 'Elections, votes, deaths and faults appear here as they happen.' : undefined}
        </EmptyState>
      ) : (
        <Feed
          rows={rows}
          follows={held === null}
          onHold={() => setHeld((old) => old ?? live)}
          onFollow={() => setHeld(null)}
        />
      )}
      {held === null ? null : (
        <div className="absolute right-5 bottom-4">
          <Button kind="primary" onClick={() => setHeld(null)}>
            <ArrowDownToLine size={13} /> {missed > 0 ? `${count(missed)} new, follow` : 'Follow'}
          </Button>
        </div>
      )}
    </div>
  );
}

/** In order of time: events of several processes arrive out of order. */
function filterRows(feed: readonly FeedItem[], hidden: readonly EventKind[], search: string): Row[] {
  const wanted = search.trim().toLowerCase();
  return feed
    .filter((item) => !isEcho(item))
    .map(rowOf)
    .filter(({ item, sentence }) => {
      if (hidden.includes(sentence.kind)) return false;
      if (wanted === '') return true;
      const who = item.nodeId === null ? '' : nodeName(item.nodeId);
      return `${who} ${sentence.text} ${sentence.rule ?? ''}`.toLowerCase().includes(wanted);
    })
    .sort((left, right) => left.item.at - right.item.at);
}

function Filters(props: { search: string; onSearch: (search: string) => void; dropped: number }) {
  const { ui } = usePanel();
  const hidden = useInterface((state) => state.hiddenKinds);
  return (
    <div className="flex h-9 shrink-0 items-center gap-1 border-b border-line px-3 text-small">
      <label className="relative mr-2 flex items-center">
        <ListFilter size={13} className="absolute left-2 text-faint" aria-hidden="true" />
        <input
          className="field w-44 pl-7"
          placeholder="Filter, e.g. n2 or E3"
          aria-label="Filter events"
          value={props.search}
          onChange={(event) => props.onSearch(event.target.value)}
        />
      </label>
      {KINDS.map(({ kind, label }) => {
        const shown = !hidden.includes(kind);
        return (
          <button
            key={kind}
            type="button"
            aria-pressed={shown}
            className={`h-6 rounded-full px-2.5 ${shown ? 'bg-hover text-text' : 'text-faint line-through decoration-1 hover:text-text'}`}
            onClick={() =>
              ui.setState({
                hiddenKinds: shown ? [...hidden, kind] : hidden.filter((other) => other !== kind),
              })
            }
          >
            {label}
          </button>
        );
      })}
      {props.dropped > 0 ? (
        <span className="ml-auto text-warn" title="They came faster than the window could take them">
          {count(props.dropped)} items dropped
        </span>
      ) : null}
    </div>
  );
}

function Feed(props: { rows: readonly Row[]; follows: boolean; onHold: () => void; onFollow: () => void }) {
  const { rows, follows, onHold, onFollow } = props;
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    getItemKey: (position) => rows[position]?.item.id ?? position,
  });
  useEffect(() => {
    const element = scroller.current;
    if (follows && element !== null && rows.length > 0) element.scrollTop = rows.length * ROW_PX;
  }, [follows, rows]);
  return (
    <ScrollRegion
      ref={scroller}
      className="selectable min-h-0 flex-1 overflow-y-auto"
      data-testid="events"
      label="Events"
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        const atEnd = scrollHeight - scrollTop - clientHeight < ROW_PX * 1.5;
        if (atEnd && !follows) onFollow();
        else if (!atEnd && follows) onHold();
      }}
    >
      <ol className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((place) => {
          const row = rows[place.index];
          return row === undefined ? null : <FeedRow key={place.key} row={row} top={place.start} />;
        })}
      </ol>
    </ScrollRegion>
  );
}

const TONES: Record<Sentence['tone'], string> = {
  plain: '',
  good: 'text-good',
  warn: 'text-warn',
  bad: 'text-bad',
};

function FeedRow({ row, top }: { row: Row; top: number }) {
  const { item, sentence } = row;
  return (
    <li className="feed-row" style={{ transform: `translateY(${top}px)` }} title={sentence.text}>
      <time className="font-mono text-small text-faint" dateTime={new Date(item.at).toISOString()}>
        {clockTime(item.at)}
      </time>
      <span>
        {item.nodeId === null ? (
          <span className="text-faint">{item.source === 'deed' ? 'you' : 'clients'}</span>
        ) : (
          <NodeTag nodeId={item.nodeId} />
        )}
      </span>
      <span className={`truncate ${TONES[sentence.tone]}`}>{sentence.text}</span>
      {sentence.rule === null ? null : (
        <span className="font-mono text-small text-faint">[{sentence.rule}]</span>
      )}
    </li>
  );
}
