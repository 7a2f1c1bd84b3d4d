// The heart of the window: nodes, links and what moves between them, laid out in the space there is.
import { useCallback, useMemo, useRef, useState } from 'react';
import type { NodeId } from '../../../engine/raft/types.ts';
import { type LinkState, linkStates, reuseLinks } from '../model/links.ts';
import { layoutTopology, type TopologyLayout } from '../model/topology-layout.ts';
import { useSize } from '../parts/use-size.ts';
import { useInterface, useView } from '../store/panel-context.tsx';
import { FlightLayer } from './flight-layer.tsx';
import { LaneFlow } from './lane-flow.tsx';
import { Legend } from './legend.tsx';
import { LinkLines } from './link-lines.tsx';
import { LinkMenu } from './link-menu.tsx';
import { CARD, NodeCard } from './node-card.tsx';

export function Topology() {
  const ids = useView((view) => view.nodes.map(({ process }) => process.nodeId).join(' '));
  const { ref, size } = useSize<HTMLDivElement>();
  const nodeIds = useMemo(() => (ids === '' ? [] : ids.split(' ').map(Number)), [ids]);
  const layout = useMemo(() => layoutTopology(nodeIds, size, CARD), [nodeIds, size]);
  return (
    <section ref={ref} className="topology" aria-label="Topology">
      <Legend />
      <Links layout={layout} width={size.width} height={size.height} />
      <FlightLayer layout={layout} />
      <Nodes layout={layout} nodeIds={nodeIds} />
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
          open={open === key}
          onOpenChange={onOpenChange}
        />
      ))}
    </>
  );
}

function Nodes({ layout, nodeIds }: { layout: TopologyLayout; nodeIds: readonly NodeId[] }) {
  const nodes = useView((view) => view.nodes);
  const selected = useInterface((state) => state.selectedNode);
  const peers = useMemo(
    () => new Map(nodeIds.map((id) => [id, nodeIds.filter((other) => other !== id)])),
    [nodeIds],
  );
  return layout.nodes.map(({ id, center }) => {
    const node = nodes.find(({ process }) => process.nodeId === id);
    if (node === undefined) return null;
    return (
      <NodeCard key={id} node={node} peers={peers.get(id) ?? []} center={center} selected={selected === id} />
    );
  });
}
