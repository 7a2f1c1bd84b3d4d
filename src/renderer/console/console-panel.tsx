// The console tab: what was asked and answered, and the prompt below it.
import { useEffect, useLayoutEffect, useRef } from 'react';
import { useActions, useInterface } from '../store/panel-context.tsx';
import { ConsoleEntryView } from './console-entry.tsx';
import { ConsolePrompt } from './console-prompt.tsx';

const EXAMPLES = [
  'set greeting "hello world"',
  'get greeting',
  'status',
  'kill leader',
  'partition n1 | n2 n3',
  'member add',
  'watch',
  'help',
];

export function ConsolePanel() {
  const entries = useInterface((state) => state.consoleEntries);
  const output = useRef<HTMLDivElement>(null);
  const stick = useRef(true);
  useLayoutEffect(() => {
    const element = output.current;
    if (element !== null && stick.current && entries.length > 0) element.scrollTop = element.scrollHeight;
  }, [entries]);
  // The tab may have been hidden while answers came.
  useEffect(() => {
    const element = output.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, []);
  return (
    <div className="flex h-full flex-col bg-sunken font-mono">
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <div
        ref={output}
        role="log"
        aria-label="Console output"
        data-testid="console-output"
        tabIndex={0}
        className="selectable min-h-0 flex-1 overflow-y-auto px-4 py-2.5"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          stick.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
      >
        {entries.length === 0 ? <Welcome /> : null}
        {entries.map((entry) => (
          <ConsoleEntryView key={entry.id} entry={entry} />
        ))}
      </div>
      {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: see above. */}
      <ConsolePrompt
        onRun={() => {
          stick.current = true;
        }}
      />
    </div>
  );
}

function Welcome() {
  const actions = useActions();
  return (
    <div className="font-sans">
      <p className="text-title font-medium">Talk to the cluster</p>
      <p className="mb-2 text-dim">
        Commands for keys, nodes and faults. Tab completes, ↑ recalls, several pasted lines run one after
        another.
      </p>
      <div className="flex flex-wrap gap-1.5">
        {EXAMPLES.map((line) => (
          <button
            key={line}
            type="button"
            className="button font-mono"
            data-size="small"
            onClick={() => void actions.execute(line)}
          >
            {line}
          </button>
        ))}
      </div>
    </div>
  );
}
