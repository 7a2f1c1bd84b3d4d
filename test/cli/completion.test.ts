// Completion scripts against the program they are made from, and the one for bash in a real bash.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { completionScript } from '../../engine/cli/completion-command.ts';
import { createProgram } from '../../engine/cli/program.ts';

const run = promisify(execFile);
const program = createProgram();

async function bash(...words: string[]): Promise<string[]> {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _quorumlab; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['-c', script, 'bash', 'quorumlab', ...words]);
  return stdout.split('\n').filter((line) => line !== '');
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

describe('in bash', () => {
  test('commands, subcommands, options and choices are completed', async () => {
    expect(await bash('w')).toEqual(['watch', 'wal']);
    expect(await bash('wal', '')).toEqual(expect.arrayContaining(['dump', 'verify', 'repair']));
    expect(await bash('-e', '7001', 'set', '--only')).toEqual(['--only-if']);
    expect(await bash('set', 'k', 'v', '--only-if', '')).toEqual(['absent', 'present']);
    expect(await bash('completion', 'f')).toEqual(['fish']);
    expect(await bash('member', 'a')).toEqual(['add']);
  });

  test('every option of every command is', async () => {
    for (const command of everyCommand(program)) {
      const path: string[] = [];
      for (let at: Command | null = command; at?.parent; at = at.parent) path.unshift(at.name());
      const found = await bash(...path, '--');
      for (const { long } of command.options) expect(found, path.join(' ')).toContain(long);
    }
  }, 60_000);
});

test.each(['zsh', 'fish'] as const)('the script for %s knows every command and option', (shell) => {
  const script = completionScript(program, shell);
  for (const command of everyCommand(program)) {
    if (command !== program) expect(script).toContain(command.name());
    for (const { long } of command.options) {
      expect(script).toContain(shell === 'fish' ? `-l ${long?.slice(2)}` : `${long}:`);
    }
  }
});
