// The right column: everything the selected node said about itself.
import { Radio } from 'lucide-react';
import type { NodeId } from '../../../engine/raft/types.ts';
import type { NodeView } from '../../shared/cluster-view.ts';
import { APPEARANCE_STYLES, appearanceOf, isAppearance, isDown, nodeName } from '../model/appearance.ts';
import { EmptyState } from '../parts/empty-state.tsx';
import { RoleGlyph } from '../parts/role-glyph.tsx';
import { ScrollRegion } from '../parts/scroll-region.tsx';
import { useInterface, usePanel, useView } from '../store/panel-context.tsx';
import { AlarmsSection, LogSection, RecoverySection, SnapshotsSection } from './disk-sections.tsx';
import { FaultsSection, LastWordsNote, LinksSection, ProcessSection } from './node-sections.tsx';
import { HardStateSection, ProgressSection, SoftStateSection } from './raft-sections.tsx';

export function Inspector() {
  const selected = useInterface((state) => state.selectedNode);
  const node = useView(({ nodes }) => nodes.find(({ process }) => process.nodeId === selected) ?? nodes[0]);
  return (
    <aside className="flex h-full min-w-0 flex-col bg-surface" aria-label="Inspector" data-testid="inspector">
      <NodePicker selected={node?.process.nodeId ?? 0} />
      <ScrollRegion label="Details of the selected node" className="min-h-0 flex-1 overflow-y-auto">
        {node === undefined ? (
          <EmptyState icon={<Radio size={20} />} title="No node yet" />
        ) : (
          <NodeDetails key={node.process.nodeId} node={node} />
        )}
      </ScrollRegion>
    </aside>
  );
}

function NodePicker({ selected }: { selected: NodeId }) {
  const { ui } = usePanel();
  // As text, so that the picker is drawn when a sign changes and not with every status.
  const signs = useView((view) =>
    view.nodes.map((node) => `${node.process.nodeId}:${appearanceOf(node)}`).join(' '),
  );
  const many = signs.split(' ').length > 5;
  return (
    <fieldset aria-label="Node to inspect" className="h-9 shrink-0 border-b border-line px-2">
      <div className="flex h-9 items-stretch">
        {signs.split(' ').map((sign) => {
          const [id = '', appearance] = sign.split(':');
          if (!isAppearance(appearance)) return null;
          const nodeId = Number(id);
          const current = nodeId === selected;
          return (
            <button
              key={nodeId}
              type="button"
              aria-pressed={current}
              aria-label={`Inspect ${nodeName(nodeId)}, ${APPEARANCE_STYLES[appearance].word.toLowerCase()}`}
              className={`flex items-center border-b-2 font-medium ${many ? 'gap-1 px-1.5' : 'gap-1.5 px-2.5'} ${current ? 'border-accent text-text' : 'border-transparent text-dim hover:text-text'}`}
              onClick={() => ui.setState({ selectedNode: nodeId })}
            >
              <RoleGlyph appearance={appearance} size={14} />
              {nodeName(nodeId)}
            </button>
          );
        })}
      </div>{' '}
    </fieldset>
  );
}

function NodeDetails({ node }: { node: NodeView }) {
  const status = node.status ?? node.lastWords;
  if (status === null) {
    return (
      <>
        <EmptyState icon={<Radio size={20} />} title={`${nodeName(node.process.nodeId)} has not spoken yet`}>
          A node reports ten times a second as soon as it has read its log.
        </EmptyState>
        <ProcessSection process={node.process} status={null} />
      </>
    );
  }
  const past = node.status === null;
  return (
    <>
      {isDown(node) ? <LastWordsNote process={node.process} /> : null}
      <AlarmsSection node={node} />
      <FaultsSection node={node} />
      <RecoverySection node={node} />
      <HardStateSection raft={status.raft} />
      <SoftStateSection raft={status.raft} />
      {past ? null : <ProgressSection raft={status.raft} />}
      <LogSection disk={status.disk} keyspace={status.keyspace} />
      <SnapshotsSection nodeId={node.process.nodeId} disk={status.disk} />
      <LinksSection links={status.links} />
      <ProcessSection process={node.process} status={node.status} />
    </>
  );
}
