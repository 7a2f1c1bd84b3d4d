// completion: scripts that teach a shell this program's commands and options, made from their own definition.
import { Argument, type Command, Option } from 'commander';
import { EXIT_CODES_HELP } from './exit-code.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

interface Described {
  /** The words before it: none for the program's own. */
  path: readonly string[];
  commands: readonly { name: string; about: string }[];
  options: readonly {
    flags: readonly string[];
    about: string;
    takesValue: boolean;
    choices: readonly string[];
  }[];
}

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in your shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  source <(quorumlab completion bash)                                 in ~/.bashrc
  quorumlab completion zsh > "\${fpath[1]}/_quorumlab"
  quorumlab completion fish > ~/.config/fish/completions/quorumlab.fish
${EXIT_CODES_HELP}`,
    )
    .action((shell: Shell) => {
      process.stdout.write(completionScript(program, shell));
    });
}

/** The whole script for a shell. */
export function completionScript(program: Command, shell: Shell): string {
  const described = describe(program, []);
  const name = program.name();
  if (shell === 'bash') return bashScript(name, described);
  return shell === 'zsh' ? zshScript(name, described) : fishScript(name, described);
}

function describe(command: Command, path: readonly string[]): Described[] {
  const options = [...command.options, new Option('-h, --help', 'show help')].map((option) => ({
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    about: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  }));
  const names = command.commands.flatMap((each) => [each.name(), ...each.aliases()]);
  const commands = command.commands.flatMap((each) =>
    [each.name(), ...each.aliases()].map((name) => ({ name, about: each.description() })),
  );
  const own = path.length === 0 ? [...commands, { name: 'help', about: 'show help' }] : commands;
  const below = command.commands.flatMap((each) =>
    [each.name(), ...each.aliases()].flatMap((name) => describe(each, [...path, name])),
  );
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  const words = choices.map((choice) => ({ name: choice, about: '' }));
  return [{ path, commands: [...own, ...words].filter(unique), options }, ...(names.length > 0 ? below : [])];
}

function unique<Item extends { name: string }>(item: Item, at: number, all: readonly Item[]): boolean {
  return all.findIndex((each) => each.name === item.name) === at;
}

function wordsOf({ commands, options }: Described): string {
  return [...commands.map(({ name }) => name), ...options.flatMap(({ flags }) => flags)].join(' ');
}

/** The longest row of commands at the beginning of the line says what may follow. */
function bashScript(name: string, described: readonly Described[]): string {
  const cases = described.map(
    (each) => `    ${JSON.stringify(each.path.join(' '))}) words="${wordsOf(each)}" ;;`,
  );
  const all = described.flatMap(({ options }) => options).filter(({ takesValue }) => takesValue);
  const flagsOf = (chosen: typeof all) => [...new Set(chosen.flatMap(({ flags }) => flags))].join('|');
  const files = flagsOf(all.filter(({ choices }) => choices.length === 0));
  const choosing = all
    .filter(({ choices }) => choices.length > 0)
    .map(({ flags, choices }) => {
      const words = choices.join(' ');
      return `    ${flags.join('|')}) COMPREPLY=( $(compgen -W "${words}" -- "$current") ); return ;;\n`;
    });
  return `# bash completion of ${name}
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" at
  case "$previous" in
${[...new Set(choosing)].join('')}    ${files}) COMPREPLY=( $(compgen -f -- "$current") ); return ;;
  esac
  for (( at = 1; at < COMP_CWORD; at++ )); do
    case "|${described.map(({ path }) => path.join(' ')).join('|')}|" in
      *"|\${path:+$path }\${COMP_WORDS[at]}|"*) path="\${path:+$path }\${COMP_WORDS[at]}" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=( $(compgen -f -- "$current") ); fi
}
complete -F _${name} ${name}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function zshScript(name: string, described: readonly Described[]): string {
  const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
  const cases = described.map((each) => {
    const words = [
      ...each.commands.map((command) => `${escaped(command.name)}:${escaped(command.about)}`),
      ...each.options.flatMap(({ flags, about }) =>
        flags.map((flag) => `${escaped(flag)}:${escaped(about)}`),
      ),
    ];
    return `    ${quoted(each.path.join(' '))}) items=(${words.map(quoted).join(' ')}) ;;`;
  });
  return `#compdef ${name}
# zsh completion of ${name}
_${name}() {
  local row="" at
  local -a items
  local known='|${described.map(({ path }) => path.join(' ')).join('|')}|'
  for (( at = 2; at < CURRENT; at++ )); do
    [[ "$known" == *"|\${row:+$row }\${words[at]}|"* ]] && row="\${row:+$row }\${words[at]}"
  done
  case "$row" in
${cases.join('\n')}
  esac
  _describe -t commands '${name}' items || _files
}
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function fishScript(name: string, described: readonly Described[]): string {
  const lines = described.flatMap((each) => {
    const condition =
      each.path.length === 0
        ? '__fish_use_subcommand'
        : each.path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const start = `complete -c ${name} -n ${quoted(condition)}`;
    const commands = each.commands.map(
      (command) => `${start} -a ${quoted(command.name)} -d ${quoted(command.about)}`,
    );
    const options = each.options.map(({ flags, about, takesValue, choices }) => {
      const words = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
      return `${start} ${words.join(' ')}${value} -d ${quoted(about)}`;
    });
    return [...commands, ...options];
  });
  return `# fish completion of ${name}\n${lines.join('\n')}\n`;
}
