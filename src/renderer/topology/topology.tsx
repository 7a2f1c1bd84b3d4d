// The heart of the window: nodes, links and what moves between them, laid out in the space there is.
import { useCallback, useMemo, useRef, useState } from 'react';
import type { NodeId } from '../../../engine/raft/types.ts';
import { currentLeader } from '../model/health.ts';
import { type LinkState, linkStates, reuseLinks } from '../model/links.ts';
import { badgeOf, catchUpOf } from '../model/member-words.ts';
import { layoutTopology, type TopologyLayout } from '../model/topology-layout.ts';
import { useSize } from '../parts/use-size.ts';
import { useInterface, useView } from '../store/panel-context.tsx';
import { FlightLayer } from './flight-layer.tsx';
import { LaneFlow } from './lane-flow.tsx';
import { LinkLines } from './link-lines.tsx';
import { LinkMenu } from './link-menu.tsx';
import { NodeCard } from './node-card.tsx';
import { TopologyHead } from './topology-head.tsx';

export function Topology() {
  const ids = useView((view) => view.nodes.map(({ process }) => process.nodeId).join(' '));
  const { ref, size } = useSize<HTMLDivElement>();
  const nodeIds = useMemo(() => (ids === '' ? [] : ids.split(' ').map(Number)), [ids]);
  const layout = useMemo(() => layoutTopology(nodeIds, size), [nodeIds, size]);
  return (
    <section className="topology" aria-label="Topology">
      <TopologyHead />
      <div ref={ref} className="topology-stage">
        <Links layout={layout} width={size.width} height={size.height} />
        <FlightLayer layout={layout} />
        <Nodes layout={layout} nodeIds={nodeIds} />
      </div>
    </section>
  );
}

function useLinkStates(): readonly LinkState[] {
  const nodes = useView((view) => view.nodes);
  const previous = useRef<readonly LinkState[]>([]);
  return useMemo(() => {
    previous.current = reuseLinks(previous.current, linkStates(nodes));
    return previous.current;
  }, [nodes]);
}

function Links({ layout, width, height }: { layout: TopologyLayout; width: number; height: number }) {
  const states = useLinkStates();
  const leaderId = useView((view) => currentLeader(view)?.process.nodeId ?? 0);
  const [open, setOpen] = useState<string | null>(null);
  const onOpenChange = useCallback((key: string, next: boolean) => setOpen(next ? key : null), []);
  const placed = layout.links.flatMap((place) => {
    const link = states.find(({ a, b }) => a === place.a && b === place.b);
    return link === undefined ? [] : [{ key: `${place.a}-${place.b}`, place, link }];
  });
  return (
    <>
      <svg className="topology-links" width={width} height={height} aria-hidden="true">
        {placed.map(({ key, place, link }) => (
          <LinkLines key={key} link={link} placed={place} onPick={setOpen} />
        ))}
      </svg>
      <div className="topology-layer">
        {placed
          .filter(({ link }) => link.runs.a && link.runs.b)
          .flatMap(({ key, place, link }) => [
            <LaneFlow key={`${key} forward`} lane={link.forward} {...place.forward} />,
            <LaneFlow key={`${key} backward`} lane={link.backward} {...place.backward} />,
          ])}
      </div>
      {placed.map(({ key, place, link }) => (
        <LinkMenu
          key={key}
          link={link}
          middle={place.middle}
          brief={layout.card.density !== 'full'}
          quiet={layout.nodes.length > 3 && place.a !== leaderId && place.b !== leaderId}
          open={open === key}
          onOpenChange={onOpenChange}
        />
      ))}
    </>
  );
}

function Nodes({ layout, nodeIds }: { layout: TopologyLayout; nodeIds: readonly NodeId[] }) {
  const selected = useInterface((state) => state.selectedNode);
  const peers = useMemo(
    () => new Map(nodeIds.map((id) => [id, nodeIds.filter((other) => other !== id)])),
    [nodeIds],
  );
  const view = useView((current) => current);
  return layout.nodes.map(({ id, center }) => {
    const node = view.nodes.find(({ process }) => process.nodeId === id);
    if (node === undefined) return null;
    const change = view.changes.find(({ nodeId }) => nodeId === id) ?? null;
    const catchUp = catchUpOf(view, id);
    return (
      <NodeCard
        key={id}
        node={node}
        peers={peers.get(id) ?? []}
        center={center}
        card={layout.card}
        selected={selected === id}
        badge={badgeOf(view, node)}
        change={change}
        catchUpShare={catchUp?.share ?? null}
        catchUpWords={catchUp?.words ?? null}
      />
    );
  });
}
