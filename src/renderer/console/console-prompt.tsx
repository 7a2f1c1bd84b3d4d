// The prompt: the line being written, what could complete it, and the signature of its command.
import { useId } from 'react';
import { hintConsoleLine } from '../../shared/console-completion.ts';
import { pastedLines } from '../model/recent-keys.ts';
import { type Prompt, usePrompt } from './use-prompt.ts';

const CANDIDATES_SHOWN = 12;

export function ConsolePrompt({ onRun }: { onRun: () => void }) {
  const prompt = usePrompt(onRun);
  const listId = useId();
  const hintId = useId();
  const shown = prompt.candidates.slice(0, CANDIDATES_SHOWN);
  return (
    <div className="shrink-0 border-t border-line bg-surface">
      {shown.length > 0 ? <Candidates id={listId} prompt={prompt} shown={shown} /> : null}
      <div className="flex items-center gap-2 px-4">
        <span className="text-accent" aria-hidden="true">
          ›
        </span>
        <input
          ref={prompt.input}
          className="selectable h-9 min-w-0 flex-1 bg-transparent outline-none placeholder:text-faint"
          data-testid="console-input"
          aria-label="Console"
          aria-describedby={hintId}
          role="combobox"
          aria-expanded={shown.length > 0}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={prompt.chosen >= 0 ? `${listId}-${prompt.chosen}` : undefined}
          autoCapitalize="off"
          autoComplete="off"
          autoCorrect="off"
          spellCheck={false}
          placeholder="set key value"
          value={prompt.text}
          onChange={(event) =>
            prompt.change(event.target.value, event.target.selectionStart ?? event.target.value.length)
          }
          onSelect={(event) => prompt.move(event.currentTarget.selectionStart ?? 0)}
          onKeyDown={(event) => onKey(event, prompt)}
          onPaste={(event) => {
            const pasted = event.clipboardData.getData('text');
            if (!pasted.includes('\n')) return;
            event.preventDefault();
            prompt.runAll(pastedLines(pasted));
          }}
        />
        <span id={hintId} className="max-w-[55%] truncate font-sans text-small text-faint">
          {prompt.waiting > 0 ? (
            `${prompt.waiting} more lines, Esc stops them`
          ) : (
            <Signature prompt={prompt} />
          )}
        </span>
      </div>
    </div>
  );
}

function onKey(event: React.KeyboardEvent<HTMLInputElement>, prompt: Prompt): void {
  if (event.nativeEvent.isComposing) return;
  if (event.key === 'Enter') prompt.submit();
  else if (event.key === 'ArrowUp') prompt.recall('older');
  else if (event.key === 'ArrowDown') prompt.recall('newer');
  else if (event.key === 'Escape') prompt.cancel();
  else if (event.key === 'Tab') {
    // With nothing to complete, Tab leaves the console as it leaves any field.
    if (!prompt.complete(event.shiftKey ? -1 : 1)) return;
  } else return;
  event.preventDefault();
}

function Candidates({ id, prompt, shown }: { id: string; prompt: Prompt; shown: readonly string[] }) {
  const more = prompt.candidates.length - shown.length;
  return (
    <div
      id={id}
      role="listbox"
      aria-label="Completions"
      className="flex flex-wrap gap-1 border-b border-line px-4 py-1.5"
    >
      {shown.map((candidate, position) => (
        <button
          key={candidate}
          id={`${id}-${position}`}
          type="button"
          role="option"
          aria-selected={position === prompt.chosen}
          tabIndex={-1}
          className={`rounded-sm px-1.5 ${position === prompt.chosen ? 'bg-accent-fill text-on-accent' : 'bg-raised text-dim hover:text-text'}`}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => prompt.choose(position)}
        >
          {candidate}
        </button>
      ))}
      {more > 0 ? <span className="px-1 font-sans text-small text-faint">and {more} more</span> : null}
    </div>
  );
}

function Signature({ prompt }: { prompt: Prompt }) {
  const hint = hintConsoleLine(prompt.text, prompt.cursor);
  if (hint === null) return prompt.text === '' ? 'Tab completes, ↑ recalls' : null;
  return (
    <>
      <span className="font-mono">
        {hint.command.name}
        {hint.arguments.map((argument, position) => (
          <span key={argument} className={position === hint.active ? 'font-semibold text-text' : ''}>
            {' '}
            {argument}
          </span>
        ))}
      </span>
      <span className="ml-2">{hint.command.summary}</span>
    </>
  );
}
