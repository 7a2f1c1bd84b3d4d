// The line over the topology: what the signs mean, the majority that every write needs, and one node more.
import { Plus } from 'lucide-react';
import { NODES_MAX } from '../../shared/membership.ts';
import { quorumSentence } from '../model/member-words.ts';
import { Button } from '../parts/button.tsx';
import { Hint } from '../parts/hint.tsx';
import { useActions, useView } from '../store/panel-context.tsx';
import { Legend } from './legend.tsx';

export function TopologyHead() {
  return (
    <div className="topology-head">
      <Legend />
      <Quorum />
      <AddNode />
    </div>
  );
}

function Quorum() {
  const majority = useView((view) => quorumSentence(view).majority);
  const up = useView((view) => quorumSentence(view).up);
  const why = useView((view) => quorumSentence(view).why);
  const isJoint = useView((view) => quorumSentence(view).isJoint);
  const holds = useView((view) => quorumSentence(view).holds);
  return (
    <Hint text={why}>
      <p className="quorum" data-testid="quorum" data-joint={isJoint} data-holds={holds}>
        {isJoint ? <span className="quorum-joint">Joint</span> : null}
        <span>
          <span className="text-faint">Majority</span> {majority}
        </span>
        <span className={holds ? 'text-faint' : 'font-semibold text-bad'}>{up}</span>
      </p>
    </Hint>
  );
}

function AddNode() {
  const actions = useActions();
  const count = useView((view) => view.nodes.length);
  const busy = useView((view) => view.changes.some(({ failure }) => failure === null));
  const full = count >= NODES_MAX;
  const hint = full
    ? `${NODES_MAX} nodes are the most that one panel runs`
    : busy
      ? 'One change of the members at a time'
      : 'Start one more node: it joins as a learner, catches up, and then votes (A)';
  return (
    <Hint text={hint}>
      <Button size="small" disabled={full || busy} onClick={() => void actions.addNode()}>
        <Plus size={13} /> Add node
      </Button>
    </Hint>
  );
}
