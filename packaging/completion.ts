import type { Command } from 'commander';
import { leaves } from './manual.js';

/** Completion of commands and options for bash, zsh and fish. Arguments of options complete to files. */
export type Completions = Readonly<{ bash: string; zsh: string; fish: string }>;

export function completions(program: Command): Completions {
  const commands = leaves(program).map(({ name, command }) => ({
    name,
    about: command.description(),
    options: command.options.map(({ long, description, required, argChoices }) => ({
      name: long ?? '',
      about: description,
      takesValue: required,
      choices: argChoices ?? [],
    })),
  }));
  return {
    bash: bash(program.name(), commands),
    zsh: zsh(program.name(), commands),
    fish: fish(program.name(), commands),
  };
}

type Words = readonly Readonly<{
  name: string;
  about: string;
  options: readonly Readonly<{ name: string; about: string; takesValue: boolean; choices: readonly string[] }>[];
}>[];

const optionsOf = (commands: Words) => commands.flatMap(({ options }) => options);

/** The first words of the commands, each once. */
const firstWords = (commands: Words): readonly string[] => [
  ...new Set(commands.map(({ name }) => name.split(' ')[0] ?? '')),
];

/** The second words of the commands that have two, by their first word. */
function secondWords(commands: Words): ReadonlyMap<string, readonly string[]> {
  const pairs = commands.map(({ name }) => name.split(' ')).filter(words => words.length > 1);
  return new Map(
    pairs.map(([first = '']) => [first, pairs.filter(([one]) => one === first).map(([, two = '']) => two)]),
  );
}

function bash(program: string, commands: Words): string {
  const valued = optionsOf(commands).filter(({ takesValue }) => takesValue);
  const chosen = new Map(valued.filter(({ choices }) => choices.length > 0).map(one => [one.name, one.choices]));
  const plain = [...new Set(valued.map(({ name }) => name))].filter(name => !chosen.has(name));
  return `# bash completion of ${program}, generated from its commands
_vb365_exporter() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} words
  case "$previous" in
${[...chosen].map(([name, choices]) => `  ${name}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;`).join('\n')}
  ${plain.join(' | ')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${commands.map(({ name, options }) => `  '${name} '* | '${name}') words='${[...options.map(one => one.name), '--help'].join(' ')}' ;;`).join('\n')}
${[...secondWords(commands)].map(([first, seconds]) => `  '${first} '*) words='${seconds.join(' ')}' ;;`).join('\n')}
  *) words='${firstWords(commands).join(' ')} --help --version' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='${firstWords(commands).join(' ')} --help --version'; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _vb365_exporter ${program}
`;
}

function zsh(program: string, commands: Words): string {
  const cases = commands.map(({ name, options }) => {
    const specs = options.map(({ name: option, about, takesValue, choices }) => {
      const value = !takesValue ? '' : choices.length > 0 ? `:value:(${choices.join(' ')})` : ':value:_files';
      return `'${option}${takesValue ? '=' : ''}[${zshText(about)}]${value}'`;
    });
    return `  '${name} '*) _arguments ${[...specs, "'--help[print this help]'"].join(' ')} ;;`;
  });
  const seconds = [...secondWords(commands)].map(([first, words]) => `  '${first} '*) compadd ${words.join(' ')} ;;`);
  return `#compdef ${program}
# zsh completion of ${program}, generated from its commands
if (( CURRENT == 2 )); then
  compadd ${firstWords(commands).join(' ')} --help --version
else
  case "\${words[2]} \${words[3]} " in
${[...cases, ...seconds].join('\n')}
  esac
fi
`;
}

/** Brackets and colons separate the parts of a specification. */
const zshText = (text: string): string => text.replaceAll("'", '’').replaceAll(/[[\]:]/g, String.raw`\$&`);

function fish(program: string, commands: Words): string {
  const first = firstWords(commands);
  const atFirst = `-n '__fish_use_subcommand'`;
  const tops = first.map(word => {
    const about = commands.find(({ name }) => name === word)?.about ?? '';
    return `complete -c ${program} -f ${atFirst} -a ${word} -d '${fishText(about)}'`;
  });
  const seconds = [...secondWords(commands)].map(
    ([one, words]) => `complete -c ${program} -f -n '__fish_seen_subcommand_from ${one}' -a '${words.join(' ')}'`,
  );
  const options = commands.flatMap(({ name, options: all }) =>
    all.map(({ name: option, about, takesValue, choices }) => {
      const seen = name.split(' ').map(word => `__fish_seen_subcommand_from ${word}`);
      const value = !takesValue ? '' : choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : ' -r';
      return `complete -c ${program} -n '${seen.join('; and ')}' -l ${option.slice(2)}${value} -d '${fishText(about)}'`;
    }),
  );
  return [`# fish completion of ${program}, generated from its commands`, ...tops, ...seconds, ...options, ''].join(
    '\n',
  );
}

const fishText = (text: string): string => text.replaceAll(/['\\]/g, String.raw`\$&`);
