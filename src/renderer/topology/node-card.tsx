// One node in the topology: who it is, what it says, and the buttons to break it. Dead is dead at once: the
// card draws the process first and its last status only while that process lives.
import { HardDrive, TriangleAlert } from 'lucide-react';
import { memo } from 'react';
import type { MemberChangeView, NodeView } from '../../shared/cluster-view.ts';
import { alarmWords } from '../model/alarm-words.ts';
import { APPEARANCE_STYLES, appearanceOf, isDown, nodeName } from '../model/appearance.ts';
import { diskFaultWords, linkFaultWords } from '../model/fault-words.ts';
import { count, duration, milliseconds, UNKNOWN } from '../model/figures.ts';
import { stageWords } from '../model/member-words.ts';
import type { CardSize, Point } from '../model/topology-layout.ts';
import { Hint } from '../parts/hint.tsx';
import { MenuArea } from '../parts/menu.tsx';
import { useNow } from '../parts/use-now.ts';
import { usePanel } from '../store/panel-context.tsx';
import { CountdownRing } from './countdown-ring.tsx';
import { NodeButtons } from './node-buttons.tsx';
import { useNodeMenu } from './node-menu.tsx';
import { NodeQuestion } from './node-question.tsx';

export interface NodeCardProps {
  node: NodeView;
  peers: readonly number[];
  center: Point;
  card: CardSize;
  selected: boolean;
  /** Where it stands among the members, when that is worth a word. */
  badge: string | null;
  /** What is being done about its membership. */
  change: MemberChangeView | null;
  /** How far a learner has caught up, 0 to 1, and the same in words. */
  catchUpShare: number | null;
  catchUpWords: string | null;
}

export const NodeCard = memo(function NodeCard(props: NodeCardProps) {
  const { node, peers, center, card, selected, badge } = props;
  const { ui } = usePanel();
  const { process, status } = node;
  const appearance = appearanceOf(node);
  const { word, colour } = APPEARANCE_STYLES[appearance];
  const name = nodeName(process.nodeId);
  const menu = useNodeMenu(node, peers);
  const term = status?.raft.currentTerm ?? null;
  const select = () => ui.setState({ selectedNode: process.nodeId });
  return (
    <>
      <MenuArea label={`Actions and faults of ${name}`} entries={menu.entries}>
        <article
          className="node-card"
          aria-label={`${name}, ${word.toLowerCase()}${term === null ? '' : `, term ${term}`}`}
          data-testid={`node-${process.nodeId}`}
          data-role={appearance}
          data-term={term ?? ''}
          data-state={process.state}
          data-commit={status?.raft.commitIndex ?? ''}
          data-last={status?.raft.lastIndex ?? ''}
          data-selected={selected}
          data-density={card.density}
          data-membership={badge ?? 'voter'}
          style={{
            width: card.width,
            height: card.height,
            left: center.x - card.width / 2,
            top: center.y - card.height / 2,
            ['--role' as string]: colour,
          }}
          onPointerDown={select}
        >
          <header className="node-head">
            <CountdownRing nodeId={process.nodeId} appearance={appearance} />
            <div className="min-w-0 flex-1">
              <div className="flex items-baseline gap-2">
                <button
                  type="button"
                  className="node-name"
                  aria-pressed={selected}
                  aria-label={`Inspect ${name}`}
                  onClick={select}
                >
                  {name}
                </button>
                <span className="node-role">{word}</span>
                {term === null ? null : <span className="node-term">term {count(term)}</span>}
              </div>
              <SecondLine node={node} badge={badge} change={props.change} />
            </div>
          </header>
          <Body {...props} />
          <NodeButtons process={process} appearance={appearance} entries={menu.entries} />
        </article>
      </MenuArea>
      <NodeQuestion nodeId={process.nodeId} question={menu.question} onClose={menu.closeQuestion} />
    </>
  );
});

function Body({ node, change, catchUpShare, catchUpWords }: NodeCardProps) {
  if (change?.failure != null) {
    return (
      <p className="node-death" role="status" title={change.failure}>
        <span className="line-clamp-2 text-warn">{change.failure}</span>
      </p>
    );
  }
  if (isDown(node)) return <Death node={node} />;
  if (catchUpShare !== null && catchUpWords !== null) {
    return <CatchUp nodeId={node.process.nodeId} share={catchUpShare} words={catchUpWords} />;
  }
  return <Figures node={node} />;
}

function CatchUp({ nodeId, share, words }: { nodeId: number; share: number; words: string }) {
  return (
    <div className="node-catch-up">
      <span className="truncate">
        <span className="text-faint">Catching up:</span> {words}
      </span>
      <progress aria-label={`${nodeName(nodeId)} catches up`} max={1} value={share} />
    </div>
  );
}

function SecondLine({ node, badge, change }: Pick<NodeCardProps, 'node' | 'badge' | 'change'>) {
  const { process, status, disk, links } = node;
  const alarms = status?.alarms ?? [];
  if (alarms.length > 0) {
    return (
      <span className="chip" data-tone="bad">
        <TriangleAlert size={11} /> {alarms.map(alarmWords).join(', ')}
      </span>
    );
  }
  const words = [...disk.map(diskFaultWords), ...links.map(linkFaultWords)];
  if (words.length > 0) {
    return (
      <Hint text={words.join('; ')}>
        <span className="chip max-w-full" data-tone="warn">
          <TriangleAlert size={11} className="shrink-0" />
          <span className="truncate">{words.length === 1 ? words[0] : `${words.length} faults`}</span>
        </span>
      </Hint>
    );
  }
  const member = change !== null && change.failure === null ? stageWords(change) : badge;
  if (member !== null) {
    return (
      <span className="chip max-w-full" data-tone="info">
        <span className="truncate">{member}</span>
      </span>
    );
  }
  return <div className="truncate text-small text-faint">{process.clientAddress || UNKNOWN}</div>;
}

function Figures({ node }: { node: NodeView }) {
  const raft = node.status?.raft;
  const disk = node.status?.disk;
  const hangs = disk !== undefined && disk.syncInFlightMs > 100;
  const lag = raft === undefined ? 0 : raft.lastIndex - raft.commitIndex;
  return (
    <dl className="node-figures">
      <div>
        <dt>Commit</dt>
        <dd>{raft === undefined ? UNKNOWN : count(raft.commitIndex)}</dd>
      </div>
      <div>
        <dt>Last{lag > 0 ? <span className="text-faint"> +{count(lag)}</span> : null}</dt>
        <dd>{raft === undefined ? UNKNOWN : count(raft.lastIndex)}</dd>
      </div>
      <div>
        <dt className="flex items-center gap-1">
          <HardDrive size={10} aria-hidden="true" /> Sync
        </dt>
        <dd data-tone={hangs ? 'bad' : undefined}>
          {disk === undefined ? UNKNOWN : milliseconds(hangs ? disk.syncInFlightMs : disk.syncP50Ms)}
        </dd>
      </div>
    </dl>
  );
}

function Death({ node }: { node: NodeView }) {
  const now = useNow(1000);
  const { exit, at } = node.process;
  return (
    <p className="node-death">
      <span className="line-clamp-1 first-letter:uppercase">{exit?.reason ?? 'stopped'}</span>
      <span className="text-faint">
        {duration(now - at)} ago
        {node.lastWords === null ? '' : `, at index ${count(node.lastWords.raft.lastIndex)}`}
      </span>
    </p>
  );
}
