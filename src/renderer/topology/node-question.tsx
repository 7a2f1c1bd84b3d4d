// Whatever an entry of a node's menu asks before it acts.
import { AskNumber } from '../parts/ask-number.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { AskFault } from './ask-fault.tsx';
import type { Question } from './disk-menu.tsx';
import { RemoveNode } from './remove-node.tsx';

export interface NodeQuestionProps {
  nodeId: number;
  question: Question | null;
  onClose: () => void;
}

export function NodeQuestion({ nodeId, question, onClose }: NodeQuestionProps) {
  switch (question?.kind) {
    case undefined:
      return null;
    case 'number':
      return <AskNumber question={question.question} onClose={onClose} />;
    case 'confirm':
      return <Confirm confirmation={question.confirmation} onClose={onClose} />;
    case 'removal':
      return <RemoveNode nodeId={nodeId} onClose={onClose} />;
    case 'fault':
      return <AskFault nodeId={nodeId} onClose={onClose} />;
  }
}
