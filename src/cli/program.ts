import { Command, CommanderError, Option } from 'commander';
import { reportFormats, reportTables } from '../history/report-names.js';
import { toExporterError } from '../kernel/errors.js';
import { logFormats, logLevels } from '../kernel/log.js';
import { attackNames } from '../simulator/attack-names.js';
import { append, appendLabel, concurrency, duration, moment, port, positive, seconds, whole } from './option-values.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

/** Runs the command that `argv` (without node and script) names, and returns the exit code. An error is one line. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: ExitCode = exitCodes.stopped;
  const program = createProgram(terminal, load => async flags => {
    const run = await load();
    code = await run(flags, terminal);
  });
  try {
    await program.parseAsync(withCommand(argv, names(program)), { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.stopped : exitCodes.usage;
    const error = toExporterError(thrown);
    terminal.printError(error.message);
    if (error.reason === 'bug' && error.cause instanceof Error) terminal.printError(String(error.cause.stack));
    return error.reason === 'config' ? exitCodes.usage : exitCodes.cannotRun;
  }
}

/** The commands and options of the program. `action` makes the action of a command; a description needs none. */
export function createProgram(
  terminal: Pick<Terminal, 'print' | 'printError' | 'version'>,
  action: Action = () => async () => undefined,
): Command {
  const program = new Command('vb365-exporter')
    .description(
      'Prometheus metrics, OpenTelemetry logs and traces for restore sessions in Veeam Backup for Microsoft 365 (VB365)',
    )
    .version(terminal.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.print(text.trimEnd()),
      writeErr: text => terminal.printError(text.trimEnd()),
      outputError: (text, write) => write(inOneLine(text)),
    });
  addCommands(program, action);
  return program.addHelpText('after', () => helpOfServe(program));
}

/**
 * Adds the default command. Commander would take an unknown command for an argument of a default command, and answer
 * the help of an unknown command with the help of the program, and that of `state show` with the help of `state`.
 */
function withCommand(argv: readonly string[], known: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === 'help') return withCommand([...rest, '--help'], known);
  if (first === undefined || (first.startsWith('-') && !programFlags.includes(first))) return ['serve', ...argv];
  return first.startsWith('-') || known.includes(first) ? argv : [first];
}

const names = ({ commands }: Command): readonly string[] => commands.map(command => command.name());

const programFlags = ['-h', '--help', '--version'];

/** The options of the default command, which need no command. */
function helpOfServe(program: Command): string {
  const serve = program.commands.find(command => command.name() === 'serve');
  return serve === undefined
    ? ''
    : `\n${serve
        .helpInformation()
        .replace(/^[^]*?(?=Options:)/, '')
        .replace('Options:', 'Options of serve:')
        .trimEnd()}`;
}

/** Commander writes the prefix `error: `, and a suggestion on a separate line. */
const inOneLine = (text: string): string =>
  text
    .replace(/^error: /, '')
    .replace(/^too many arguments for .*: (.+)\.\n?$/, "unexpected argument '$1'; a command comes before its options")
    .replace(/\n\(Did you mean (?:one of )?(.+)\?\)/, (_, near: string) => {
      const quoted = near.split(', ').map(name => `'${name}'`);
      return `; did you mean ${quoted.join(' or ')}?`;
    });

/** The options of every command that reads history. */
const addPastOptions = (command: Command, from: string): Command =>
  command
    .addOption(configFile())
    .addOption(
      new Option('--server <name>', 'server of the configuration to read; can be repeated')
        .argParser(append)
        .default([], 'all'),
    )
    .addOption(
      new Option('--from <time>', 'begin here: a date or time with zone, a duration before now such as 30d, or all')
        .argParser(moment)
        .default(moment(from), from),
    )
    .option('--concurrency <count>', 'requests to a server at a time', concurrency, 1);

const configFile = () =>
  new Option('--config.file <file>', 'path to the configuration file (default: vb365-exporter.yaml, if it exists)');
const listenAddress = (byDefault = ':10365') =>
  new Option('--web.listen-address <address>', 'address to listen on').default(byDefault);
const webConfig = () =>
  new Option('--web.config.file <file>', 'path to a web configuration file of exporter-toolkit (TLS, basic auth)');

/** The action of a command. `load` imports the command, so that a start or a health check loads no other command. */
type Action = <Flags>(
  load: () => Promise<(flags: Flags, terminal: Terminal) => ExitCode | Promise<ExitCode>>,
) => (flags: Flags) => Promise<void>;

function addCommands(program: Command, action: Action): void {
  program
    .command('serve')
    .description('poll servers and serve metrics (default command)')
    .addOption(configFile())
    .addOption(listenAddress())
    .addOption(webConfig())
    .option('--web.telemetry-path <path>', 'path of the metrics', '/metrics')
    .option('--web.enable-lifecycle', 'enable POST /-/reload to reload the configuration, like SIGHUP', false)
    .addOption(new Option('--log.level <level>', 'minimum level of log messages').choices(logLevels).default('info'))
    .addOption(new Option('--log.format <format>', 'format of log messages').choices(logFormats).default('logfmt'))
    .action(action(async () => (await import('./serve.js')).serve));
  program
    .command('demo')
    .description('run the exporter against a simulated server and print its log records')
    .option('--for <duration>', 'stop after this time, such as 20s', duration)
    .option('--seed <number>', 'seed of the simulation', whole, 1)
    .addOption(listenAddress('127.0.0.1:10365'))
    .action(action(async () => (await import('./demo.js')).demo));
  program
    .command('check')
    .description('validate the configuration and the files that it names, and report every problem')
    .addOption(configFile())
    .addOption(webConfig())
    .option('--syntax-only', 'do not read the files that the configuration names', false)
    .action(action(async () => (await import('./check.js')).check));
  program
    .command('doctor')
    .description('check everything that the exporter needs, and suggest fixes')
    .addOption(configFile())
    .addOption(listenAddress())
    .addOption(webConfig())
    .option('--json', 'print JSON', false)
    .action(action(async () => (await import('./doctor.js')).doctor));
  addPast(program, action);
  addBackfill(program, action);
  addOthers(program, action);
  addState(program, action);
}

/** Commands that read the history of the servers. */
function addPast(program: Command, action: Action): void {
  addPastOptions(
    program
      .command('report')
      .description('report who restored what of whom, from the history of the servers; changes nothing'),
    '30d',
  )
    .option('--to <time>', 'end here, as --from (default: now)', moment)
    .addOption(new Option('--format <format>', 'format of the report').choices(reportFormats).default('csv'))
    .option('--items', 'one row per item instead of one per session', false)
    .addOption(
      new Option('--table <table>', 'table of a csv file; json and html hold all')
        .choices(reportTables)
        .default('rows'),
    )
    .option(
      '--restored-within <duration>',
      'list organizations and workloads without a successful restore in this time before the end (default: the whole window)',
      seconds,
    )
    .option('--out <file>', 'file to write instead of standard output; it is replaced when it is complete')
    .action(action(async () => (await import('./report.js')).report));
  addPastOptions(
    program
      .command('audit')
      .description('compare the records of a log store with the history of the servers; exits with 1 when they differ'),
    'all',
  )
    .option(
      '--to <time>',
      'end here, as --from (default: 10 minutes ago, because what is newer may not be delivered yet)',
      moment,
    )
    .requiredOption(
      '--records <file>',
      'records as JSON lines: OTLP of a Collector, or an export of VictoriaLogs, Elasticsearch or Loki; - for standard input; can be repeated',
      (path: string, before?: readonly string[]) => append(path, before ?? []),
    )
    .option(
      '--state [file]',
      'say why a record is missing, from this state file (default: the state of the configuration, also in PostgreSQL)',
    )
    .option('--json', 'print JSON', false)
    .action(action(async () => (await import('./audit.js')).audit));
}

function addBackfill(program: Command, action: Action): void {
  addPastOptions(
    program
      .command('backfill')
      .description(
        "write the counters of the time before the exporter as OpenMetrics, for promtool's create-blocks-from openmetrics",
      ),
    'all',
  )
    .option('--to <time>', 'end here, as --from (default: where live counting began, from the state)', moment)
    .requiredOption('--out <file>', 'file to write; it is replaced when it is complete; - for standard output')
    .addOption(
      new Option(
        '--step <duration>',
        'time between two samples of a series while it changes; else an hour, or this if it is longer',
      )
        .argParser(seconds)
        .default(300_000, '5m'),
    )
    .addOption(
      new Option(
        '--label <name=value>',
        'label that Prometheus adds when it scrapes, such as job=vb365; can be repeated',
      )
        .argParser(appendLabel)
        .default([], 'none'),
    )
    .option(
      '--state <file>',
      'state file that says where live counting began (default: the state of the configuration)',
    )
    .action(action(async () => (await import('./backfill.js')).backfill));
}

function addOthers(program: Command, action: Action): void {
  program
    .command('simulate')
    .description('run a simulated VB365 server; log in with user name "simulator" and password "simulator"')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on', port, 4443)
    .option('--seed <number>', 'seed of the simulation', whole, 1)
    .option('--pace <factor>', 'activity; 1: a new session about every 5 s', positive, 1)
    .option('--sessions <count>', 'number of past sessions', whole, 0)
    .option('--events <count>', 'number of events per past session', whole, 25)
    .addOption(
      new Option('--attack <name>', 'attack that detections notice; begins 30 s after the first login').choices(
        attackNames,
      ),
    )
    .action(action(async () => (await import('./simulate.js')).runSimulator));
  program
    .command('healthcheck')
    .description('check whether the exporter on this machine is healthy')
    .addOption(listenAddress())
    .addOption(webConfig())
    .action(action(async () => (await import('./healthcheck.js')).healthcheck));
}

function addState(program: Command, action: Action): void {
  const state = program
    .command('state')
    .description(
      'inspect, repair or copy the state (the exporter must be stopped; with PostgreSQL, only for what is changed)',
    );
  state
    .command('show')
    .description('show the stored state of each server')
    .addOption(configFile())
    .option('--json', 'print JSON', false)
    .action(action(async () => (await import('./state.js')).showState));
  state
    .command('forget')
    .description('delete the stored state of a server, including its counters')
    .addOption(configFile())
    .requiredOption('--server <name>', 'name of the server')
    .action(action(async () => (await import('./state.js')).forgetServer));
  state
    .command('copy')
    .description('copy the state from a file to PostgreSQL, or back')
    .addOption(configFile())
    .requiredOption('--from <place>', 'sqlite:<path>, postgresql: (as configured) or postgresql://<url>')
    .requiredOption('--to <place>', 'the same; it must be empty')
    .action(action(async () => (await import('./state.js')).copyState));
  state
    .command('quarantine')
    .description('rename a damaged state file so that the exporter can start; nothing is deleted')
    .addOption(configFile())
    .action(action(async () => (await import('./state.js')).quarantineState));
}
