// The buttons at the foot of a node's card. Redrawn when they change, not with every status of their node.
import { Megaphone, MoreHorizontal, Pause, Play, RotateCcw, Skull, UserMinus } from 'lucide-react';
import { memo, useEffect, useRef } from 'react';
import type { ProcessView } from '../../shared/cluster-view.ts';
import { type Appearance, nodeName } from '../model/appearance.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { MenuButton, type MenuEntry } from '../parts/menu.tsx';
import { useActions } from '../store/panel-context.tsx';

const SMALL = { size: 'small', kind: 'quiet' } as const;

export interface NodeButtonsProps {
  process: ProcessView;
  appearance: Appearance;
  entries: readonly MenuEntry[];
}

export const NodeButtons = memo(function NodeButtons({ process, appearance, entries }: NodeButtonsProps) {
  const name = nodeName(process.nodeId);
  const down = process.state === 'crashed' || process.state === 'stopped';
  const footer = useKeptFocus(down);
  return (
    <footer ref={footer} className="node-buttons">
      {down ? <StartAgain process={process} /> : <Actions process={process} appearance={appearance} />}
      <MenuButton label={`Actions and faults of ${name}`} entries={entries} align="end">
        <Button {...SMALL} data-shape="icon" className="ml-auto" aria-label={`More for ${name}`}>
          <MoreHorizontal size={15} />
        </Button>
      </MenuButton>
    </footer>
  );
});

/** Killing a node takes the button away that had the keyboard: it goes to the first one that is there then. */
function useKeptFocus(down: boolean) {
  const footer = useRef<HTMLElement>(null);
  const hadFocus = useRef(false);
  useEffect(() => {
    const note = (event: FocusEvent) => {
      hadFocus.current = event.target instanceof Node && footer.current?.contains(event.target) === true;
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);
  const was = useRef(down);
  useEffect(() => {
    if (was.current === down) return;
    was.current = down;
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (hadFocus.current && lost) footer.current?.querySelector('button')?.focus();
  }, [down]);
  return footer;
}

function StartAgain({ process }: { process: ProcessView }) {
  const actions = useActions();
  return (
    <Button
      size="small"
      aria-label={`Restart ${nodeName(process.nodeId)}`}
      onClick={() => void actions.restart(process.nodeId)}
    >
      <RotateCcw size={13} /> Restart
    </Button>
  );
}

function Actions({ process, appearance }: { process: ProcessView; appearance: Appearance }) {
  const actions = useActions();
  const { nodeId, state } = process;
  const name = nodeName(nodeId);
  return (
    <>
      <IconButton
        size="small"
        kind="danger"
        className="border-transparent bg-transparent"
        name={`Kill ${name}`}
        hint={`Kill ${name} (SIGKILL)`}
        onClick={() => void actions.kill(nodeId)}
        icon={<Skull size={14} />}
      />
      {state === 'paused' ? (
        <IconButton
          {...SMALL}
          name={`Resume ${name}`}
          hint={`Resume ${name} (SIGCONT)`}
          onClick={() => void actions.resume(nodeId)}
          icon={<Play size={14} />}
        />
      ) : (
        <IconButton
          {...SMALL}
          name={`Pause ${name}`}
          hint={`Pause ${name} (SIGSTOP)`}
          disabled={state !== 'running'}
          onClick={() => void actions.pause(nodeId)}
          icon={<Pause size={14} />}
        />
      )}
      <IconButton
        {...SMALL}
        name={`Restart ${name}`}
        disabled={state === 'starting'}
        onClick={() => void actions.restart(nodeId)}
        icon={<RotateCcw size={13} />}
      />
      {appearance === 'leader' ? (
        <IconButton
          {...SMALL}
          name={`Step down ${name}`}
          hint={`Step down: ${name} hands leadership on`}
          onClick={() => void actions.stepDown(nodeId)}
          icon={<UserMinus size={14} />}
        />
      ) : (
        <IconButton
          {...SMALL}
          name={`Campaign ${name}`}
          hint={`Campaign: ${name} starts an election`}
          disabled={state !== 'running'}
          onClick={() => void actions.campaign(nodeId)}
          icon={<Megaphone size={14} />}
        />
      )}
    </>
  );
}
