// The console's `help`, from the same table as its grammar.
import type { CommandHelp } from './console-command.ts';
import { COMMAND_HELP, findCommand, signatureOf } from './console-commands.ts';
import type { ConsoleLine } from './console-line-view.ts';

const GROUPS: Record<CommandHelp['group'], string> = {
  keys: 'Keys',
  cluster: 'Cluster',
  nodes: 'Nodes',
  faults: 'Faults',
};

/** All commands, or one with its examples. */
export function helpLines(topic: string | null): ConsoleLine[] {
  if (topic !== null) {
    const help = findCommand(topic);
    if (help === null) return [{ tone: 'error', text: `There is no command "${topic}". help lists all.` }];
    return [
      { tone: 'table', text: signatureOf(help) },
      { tone: 'note', text: help.summary },
      ...help.examples.map((text): ConsoleLine => ({ tone: 'value', text })),
    ];
  }
  const widest = Math.max(...COMMAND_HELP.map((help) => signatureOf(help).length));
  return Object.entries(GROUPS).flatMap(([group, title]): ConsoleLine[] => [
    { tone: 'note', text: title },
    ...COMMAND_HELP.filter((help) => help.group === group).map(
      (help): ConsoleLine => ({
        tone: 'table',
        text: `${signatureOf(help).padEnd(widest)}  ${help.summary}`,
      }),
    ),
  ]);
}
