import type { Command, Option } from 'commander';
import { tableUnder } from './markdown-tables.js';

type About = Readonly<{
  version: string;
  epochSeconds: number;
  homepage: string;
  /** `docs/CLI.md`, which lists signals and exit codes. */
  cli: string;
}>;

/** The manual page vb365-exporter(1), from the commands and options of the program. */
export function manualPage(program: Command, { version, epochSeconds, homepage, cli }: About): string {
  const date = new Date(epochSeconds * 1000).toISOString().slice(0, 10);
  const name = program.name();
  return [
    `.TH ${name.toUpperCase()} 1 "${date}" "${name} ${version}" "User Commands"`,
    section('NAME', `${name} ${dash} ${roff(program.description())}`),
    section('SYNOPSIS', `.B ${name}\n.RI [ command ]\n.RI [ option ...]`),
    section('DESCRIPTION', description),
    section('COMMANDS', leaves(program).map(commandText).join('\n')),
    section('SIGNALS', terms(tableUnder('Signals', cli))),
    section('EXIT STATUS', terms(tableUnder('Exit codes', cli))),
    section('FILES', terms(files)),
    section('ENVIRONMENT', terms(variables)),
    section('SEE ALSO', `Metrics, configuration, alerts and runbooks:\n.UR ${homepage}\n.UE`),
    '',
  ].join('\n');
}

const dash = String.raw`\-`;

const description = [
  'The exporter reads restore sessions from the REST API of Veeam Backup for Microsoft 365 2.0 to 8.x and counts every',
  'restore event exactly once. It serves Prometheus metrics on port 10365 and sends log records and traces to an OTLP',
  'receiver. Without a command it runs',
  '.BR serve .',
].join('\n');

const files = [
  ['/etc/vb365-exporter/vb365-exporter.yaml', 'configuration of the service'],
  ['/etc/vb365-exporter/secrets/', 'passwords for the service, readable by root only'],
  ['/etc/vb365-exporter/environment', 'optional: environment of the service, with further options in ARGS'],
  ['/var/lib/vb365-exporter/vb365-exporter.db', 'state: counters and progress'],
];

const variables = [
  ['VB365_CONFIG_FILE', 'path to the configuration file, if --config.file is absent'],
  ['VB365_URL, VB365_USERNAME, VB365_PASSWORD, VB365_PASSWORD_FILE', 'one server without a configuration file'],
];

const section = (title: string, text: string): string => `.SH ${title}\n${text}`;

const terms = (rows: readonly (readonly string[])[]): string =>
  rows.map(([term = '', meaning = '']) => `.TP\n.B ${roff(term)}\n${roff(meaning)}`).join('\n');

/** A command without commands below it, with its full name. */
type Leaf = Readonly<{ name: string; command: Command }>;

/** The commands that can be run, in the order of the help. */
export const leaves = ({ commands }: Command, prefix = ''): readonly Leaf[] =>
  commands.flatMap(command => {
    const name = `${prefix}${command.name()}`;
    return command.commands.length === 0 ? [{ name, command }] : leaves(command, `${name} `);
  });

const commandText = ({ name, command }: Leaf): string =>
  [`.SS ${roff(name)}`, roff(sentence(command.description())), ...command.options.map(optionText)].join('\n');

function optionText(option: Option): string {
  const byDefault = option.defaultValue === undefined || option.defaultValue === false ? '' : defaultOf(option);
  const choices = option.argChoices === undefined ? '' : ` (${option.argChoices.join(', ')})`;
  return `.TP\n.B ${roff(option.flags)}\n${roff(`${option.description}${choices}${byDefault}`)}`;
}

const defaultOf = ({ defaultValue }: Option): string => ` (default: ${String(defaultValue)})`;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Escapes what troff reads as a command: backslashes, hyphens that are minus signs, a dot or quote at the start. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', dash)
    .replace(/^[.']/, String.raw`\&$&`);
