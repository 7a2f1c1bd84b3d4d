// The heart of the window: nodes, links and what moves between them, laid out in the space there is.
import { useMemo, useState } from 'react';
import { linkStates } from '../model/links.ts';
import { layoutTopology } from '../model/topology-layout.ts';
import { useSize } from '../parts/use-size.ts';
import { useInterface, useView } from '../store/panel-context.tsx';
import { FlightLayer } from './flight-layer.tsx';
import { Legend } from './legend.tsx';
import { LinkLines } from './link-lines.tsx';
import { LinkMenu } from './link-menu.tsx';
import { CARD, NodeCard } from './node-card.tsx';

export function Topology() {
  const nodes = useView((view) => view.nodes);
  const selected = useInterface((state) => state.selectedNode);
  const { ref, size } = useSize<HTMLDivElement>();
  const [openLink, setOpenLink] = useState<string | null>(null);
  const ids = nodes.map(({ process }) => process.nodeId).join(' ');
  const layout = useMemo(
    () => layoutTopology(ids === '' ? [] : ids.split(' ').map(Number), size, CARD),
    [ids, size],
  );
  const links = useMemo(() => linkStates(nodes), [nodes]);
  const byId = new Map(nodes.map((node) => [node.process.nodeId, node]));
  const peersById = useMemo(() => {
    const all = ids === '' ? [] : ids.split(' ').map(Number);
    return new Map(all.map((id) => [id, all.filter((other) => other !== id)]));
  }, [ids]);
  const alive = (id: number) => byId.get(id)?.process.state === 'running';
  return (
    <section ref={ref} className="topology" aria-label="Topology">
      <Legend />
      <svg className="topology-links" width={size.width} height={size.height} aria-hidden="true">
        {layout.links.map((placed) => {
          const link = links.find(({ a, b }) => a === placed.a && b === placed.b);
          if (link === undefined) return null;
          const key = `${placed.a}-${placed.b}`;
          return (
            <LinkLines
              key={key}
              link={link}
              placed={placed}
              alive={[alive(placed.a), alive(placed.b)]}
              onPick={() => setOpenLink(key)}
            />
          );
        })}
      </svg>
      {layout.links.map((placed) => {
        const link = links.find(({ a, b }) => a === placed.a && b === placed.b);
        if (link === undefined) return null;
        const key = `${placed.a}-${placed.b}`;
        return (
          <LinkMenu
            key={key}
            link={link}
            ends={[byId.get(placed.a), byId.get(placed.b)]}
            middle={placed.middle}
            open={openLink === key}
            onOpenChange={(open) => setOpenLink(open ? key : null)}
          />
        );
      })}
      <svg className="topology-flights" width={size.width} height={size.height} aria-hidden="true">
        <FlightLayer layout={layout} />
      </svg>
      {layout.nodes.map(({ id, center }) => {
        const node = byId.get(id);
        if (node === undefined) return null;
        return (
          <NodeCard
            key={id}
            node={node}
            peers={peersById.get(id) ?? []}
            center={center}
            selected={selected === id}
          />
        );
      })}
    </section>
  );
}
