import { Argument, type Command } from 'commander';
import { type CommandContext, newCommand } from './command.js';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** Implements `hookvisor completion SHELL`: generates a completion script from the commands and options. */
export function completionCommand({ terminal }: CommandContext, program: Command): Command {
  return newCommand('completion', 'print a shell completion script', [
    'hookvisor completion bash > /etc/bash_completion.d/hookvisor',
    'hookvisor completion zsh > "${fpath[1]}/_hookvisor"',
    'hookvisor completion fish > ~/.config/fish/completions/hookvisor.fish',
  ])
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: Shell) => {
      terminal.out.write(scripts[shell](program.commands));
    });
}

const flagsOf = (command: Command): string[] => [...command.options.map((option) => option.long ?? ''), '--help'];

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name()}) words="${flagsOf(command).join(' ')}" ;;`);
  return `_hookvisor() {
  local words cur=\${COMP_WORDS[COMP_CWORD]}
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map((command) => command.name()).join(' ')} --help --version"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _hookvisor hookvisor
`;
}

function zsh(commands: readonly Command[]): string {
  const names = commands.map((command) => `    '${command.name()}:${quoted(command.description())}'`);
  const cases = commands.map((command) => `    ${command.name()}) compadd -- ${flagsOf(command).join(' ')}; _files ;;`);
  return `#compdef hookvisor
_hookvisor() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case "\${words[2]}" in
${cases.join('\n')}
  esac
}
_hookvisor "$@"
`;
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c hookvisor -n __fish_use_subcommand -a ${command.name()} -d '${quoted(command.description())}'`,
    ...command.options.map(
      (option) =>
        `complete -c hookvisor -n '__fish_seen_subcommand_from ${command.name()}' ` +
        `-l ${(option.long ?? '').replace(/^--/, '')} -d '${quoted(option.description)}'`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}

const scripts: Readonly<Record<Shell, (commands: readonly Command[]) => string>> = { bash, zsh, fish };

/** Escapes text for single quotes in a shell. */
function quoted(text: string): string {
  return text.replaceAll("'", '’');
}
