// The prompt's behaviour without its looks: typing, history, completion, and pasted lines that wait their turn.
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import { completeConsoleLine } from '../../shared/console-completion.ts';
import { type ConsoleHistory, historyOf, newer, older } from '../model/console-history.ts';
import { recentKeys } from '../model/recent-keys.ts';
import { useActions, useCluster, useInterface, usePanel } from '../store/panel-context.tsx';

export interface Prompt {
  input: RefObject<HTMLInputElement | null>;
  text: string;
  cursor: number;
  candidates: readonly string[];
  /** Which candidate Tab has put in; -1 while none. */
  chosen: number;
  /** Lines of a paste that still wait. */
  waiting: number;
  /** A command is under way. */
  busy: boolean;
  change(text: string, cursor: number): void;
  move(cursor: number): void;
  choose(position: number): void;
  /** Tab: the next candidate, or the one before. False when there is nothing to complete. */
  complete(step: 1 | -1): boolean;
  recall(direction: 'older' | 'newer'): void;
  submit(): void;
  runAll(lines: readonly string[]): void;
  /** Escape: forget the paste, else close the list, else empty the line. */
  cancel(): void;
}

interface Completing {
  /** The line as it was typed. */
  text: string;
  from: number;
  to: number;
  candidates: readonly string[];
  chosen: number;
}

/** Set in place of the typed word; a lone or chosen command is followed by a space when the next word starts. */
function completed({ text, from, to }: Completing, candidate: string): { text: string; cursor: number } {
  return { text: text.slice(0, from) + candidate + text.slice(to), cursor: from + candidate.length };
}

export function usePrompt(onRun: () => void): Prompt {
  const panel = usePanel();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [cursor, setCursor] = useState(0);
  const [completing, setCompleting] = useState<Completing | null>(null);
  const [dismissed, setDismissed] = useState(false);
  const queue = useLineQueue(onRun);
  const history = useRef<ConsoleHistory>(historyOf(panel.ui.getState().consoleLines));
  const lines = useInterface((state) => state.consoleLines);
  useEffect(() => {
    history.current = historyOf(lines);
  }, [lines]);
  const offered = useOffer(text, cursor);
  const wantedFocus = useInterface((state) => state.consoleFocus);
  useEffect(() => {
    if (wantedFocus > 0) input.current?.focus();
  }, [wantedFocus]);

  const put = (next: string, at: number) => {
    setText(next);
    setCursor(at);
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at));
  };
  const take = (from: Completing, chosen: number) => {
    const candidate = from.candidates[chosen];
    if (candidate === undefined) return;
    const lone = from.candidates.length === 1;
    const next = completed(from, candidate);
    put(lone ? `${next.text} ` : next.text, lone ? next.cursor + 1 : next.cursor);
    setCompleting(lone ? null : { ...from, chosen });
  };
  const begin = (): Completing => completing ?? { text, ...offered, chosen: -1 };
  const forget = () => {
    setCompleting(null);
    setDismissed(false);
  };
  return {
    input,
    text,
    cursor,
    candidates: completing?.candidates ?? (dismissed || text.trim() === '' ? [] : offered.candidates),
    chosen: completing?.chosen ?? -1,
    waiting: queue.waiting,
    busy: queue.busy,
    change(next, at) {
      setText(next);
      setCursor(at);
      forget();
    },
    move: setCursor,
    choose(position) {
      take({ ...begin(), candidates: begin().candidates.slice(position, position + 1) }, 0);
      input.current?.focus();
    },
    complete(step) {
      const from = begin();
      if (text.trim() === '' || from.candidates.length === 0) return false;
      const { length } = from.candidates;
      take(from, from.chosen < 0 ? (step === 1 ? 0 : length - 1) : (from.chosen + step + length) % length);
      return true;
    },
    recall(direction) {
      const step = direction === 'older' ? older(history.current, text) : newer(history.current, text);
      history.current = step.history;
      forget();
      setDismissed(true);
      put(step.text, step.text.length);
    },
    submit() {
      if (text.trim() === '') return;
      queue.add([text]);
      forget();
      put('', 0);
    },
    runAll: queue.add,
    cancel() {
      if (queue.waiting > 0) queue.clear();
      else if (completing !== null) {
        put(completing.text, completing.text.length);
        setCompleting(null);
      } else if (!dismissed && offered.candidates.length > 0 && text !== '') setDismissed(true);
      else put('', 0);
    },
  };
}

function useOffer(text: string, cursor: number) {
  const ids = useCluster((state) => state.view?.nodes.map(({ process }) => process.nodeId).join(' ') ?? '');
  const lines = useInterface((state) => state.consoleLines);
  return useMemo(() => {
    const nodeIds = ids === '' ? [] : ids.split(' ').map(Number);
    return completeConsoleLine(text, cursor, { nodeIds, keys: recentKeys(lines) });
  }, [text, cursor, ids, lines]);
}

/** Lines run one after another: the next starts when the one before has its answer. */
function useLineQueue(onRun: () => void) {
  const actions = useActions();
  const waiting = useRef<string[]>([]);
  const running = useRef(false);
  const [state, setState] = useState({ waiting: 0, busy: false });
  const show = () => setState({ waiting: waiting.current.length, busy: running.current });
  const drain = async () => {
    if (running.current) return;
    running.current = true;
    for (let line = waiting.current.shift(); line !== undefined; line = waiting.current.shift()) {
      show();
      onRun();
      if (line.trim() === 'clear') actions.clearConsole();
      else await actions.execute(line);
    }
    running.current = false;
    show();
  };
  return {
    ...state,
    add(lines: readonly string[]) {
      waiting.current.push(...lines);
      void drain();
      show();
    },
    clear() {
      waiting.current = [];
      show();
    },
  };
}
