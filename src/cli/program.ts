import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/duration.js';
import { toExporterError } from '../kernel/errors.js';
import { logFormats, logLevels } from '../kernel/log.js';
import { parseListenAddress } from '../web/listen.js';
import type { DemoFlags } from './demo.js';
import type { DoctorFlags } from './doctor.js';
import type { ServeFlags } from './serve.js';
import type { SimulateFlags } from './simulate.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

/** Runs the command that `argv` (without node and script) names, and returns the exit code. An error is one line. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: ExitCode = exitCodes.stopped;
  const program = commands(terminal, ended => (code = ended));
  try {
    await program.parseAsync(withCommand(argv), { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.stopped : exitCodes.usage;
    const error = toExporterError(thrown);
    terminal.printError(error.message);
    if (error.reason === 'bug' && error.cause instanceof Error) terminal.printError(String(error.cause.stack));
    return error.reason === 'config' ? exitCodes.usage : exitCodes.cannotRun;
  }
}

/** Adds the default command. Commander would take an unknown command for an argument of a default command. */
const withCommand = (argv: readonly string[]): readonly string[] => {
  const [first] = argv;
  const isComplete = first !== undefined && (!first.startsWith('-') || programFlags.includes(first));
  return isComplete ? argv : ['serve', ...argv];
};

const programFlags = ['-h', '--help', '--version'];

/** Commander writes the prefix `error: `, and a suggestion on a line of its own. */
const inOneLine = (text: string): string =>
  text.replace(/^error: /, '').replace(/\n\(Did you mean (?:one of )?(.+)\?\)/, (_, names: string) => {
    const quoted = names.split(', ').map(name => `'${name}'`);
    return `; did you mean ${quoted.join(' or ')}?`;
  });

type End = (code: ExitCode) => void;

function commands(terminal: Terminal, end: End): Command {
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
  for (const add of [addServe, addDemo, addCheck, addDoctor, addSimulate, addHealthcheck, addState])
    add(program, terminal, end);
  return program;
}

const command = (parent: Command, name: string, description: string, ...options: readonly Option[]): Command => {
  const added = parent.command(name).description(description);
  for (const option of options) added.addOption(option);
  return added;
};

const listenAddress = (byDefault = ':10365') =>
  new Option('--web.listen-address <address>', 'address to listen on').default(byDefault);
const webConfig = () =>
  new Option('--web.config.file <file>', 'path to a web configuration file of exporter-toolkit (TLS, basic auth)');
const configFile = () =>
  new Option('--config.file <file>', 'path to the configuration file (default: vb365-exporter.yaml, if it exists)');
const json = () => new Option('--json', 'print JSON').default(false);
const number = (flags: string, description: string, byDefault: number) =>
  new Option(flags, description).default(byDefault).argParser(whole);

// Each action imports its command, so that a start or a health check loads no other command.

function addServe(program: Command, terminal: Terminal, end: End): void {
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
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('./serve.js');
      end(await serve(flags, terminal));
    });
}

function addDemo(program: Command, terminal: Terminal, end: End): void {
  command(program, 'demo', 'run the exporter against a simulated server and print its log records')
    .option('--for <duration>', 'stop after this time, such as 20s', duration)
    .addOption(number('--seed <number>', 'seed of the simulation', 1))
    .addOption(listenAddress('127.0.0.1:10365'))
    .action(async (flags: DemoFlags) => {
      const { demo } = await import('./demo.js');
      end(await demo(flags, terminal));
    });
}

function addCheck(program: Command, terminal: Terminal, end: End): void {
  command(program, 'check', 'validate the configuration and report every problem', configFile(), webConfig()).action(
    async (flags: Pick<ServeFlags, 'config.file' | 'web.config.file'>) => {
      const { readConfig } = await import('./read-config.js');
      const { readWebConfig } = await import('./web-config-file.js');
      const { servers, warnings } = readConfig(flags['config.file'], terminal.env);
      readWebConfig(flags['web.config.file']);
      for (const warning of warnings) terminal.printError(warning);
      terminal.print(`The configuration is valid (servers: ${servers.map(({ name }) => name).join(', ')})`);
      end(exitCodes.stopped);
    },
  );
}

function addDoctor(program: Command, terminal: Terminal, end: End): void {
  const description = 'check everything that the exporter needs, and suggest fixes';
  command(program, 'doctor', description, configFile(), listenAddress(), webConfig(), json()).action(
    async (flags: DoctorFlags) => {
      const { doctor } = await import('./doctor.js');
      end(await doctor(flags, terminal));
    },
  );
}

function addSimulate(program: Command, terminal: Terminal, end: End): void {
  command(program, 'simulate', 'run a simulated VB365 server')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .addOption(number('--port <port>', 'port to listen on', 4443))
    .addOption(number('--seed <number>', 'seed of the simulation', 1))
    .addOption(number('--pace <factor>', 'activity; 1: a new session about every 5 s', 1))
    .addOption(number('--sessions <count>', 'number of past sessions', 0))
    .addOption(number('--events <count>', 'number of events per past session', 25))
    .action(async (flags: SimulateFlags) => {
      const { runSimulator } = await import('./simulate.js');
      end(await runSimulator(flags, terminal));
    });
}

function addHealthcheck(program: Command, terminal: Terminal, end: End): void {
  const description = 'check whether the exporter on this machine is healthy';
  command(program, 'healthcheck', description, listenAddress(), webConfig()).action(
    async (flags: Pick<ServeFlags, 'web.listenAddress' | 'web.config.file'>) => {
      const { readWebConfig } = await import('./web-config-file.js');
      const { healthcheck } = await import('./healthcheck.js');
      const { tls } = readWebConfig(flags['web.config.file']);
      end(await healthcheck(parseListenAddress(flags['web.listenAddress']), tls, terminal));
    },
  );
}

type StateFlags = Readonly<{ 'config.file'?: string }>;

function addState(program: Command, terminal: Terminal, end: End): void {
  const state = command(program, 'state', 'inspect or repair the state file (the exporter must be stopped)');
  command(state, 'show', 'show the stored state of each server', configFile(), json()).action(
    async (flags: StateFlags & Readonly<{ json: boolean }>) => {
      const { showState } = await import('./state.js');
      end(showState(flags['config.file'], flags.json, terminal));
    },
  );
  command(state, 'forget', 'delete the stored state of a server, including its counters', configFile())
    .requiredOption('--server <name>', 'name of the server')
    .action(async (flags: StateFlags & Readonly<{ server: string }>) => {
      const { forgetServer } = await import('./state.js');
      end(forgetServer(flags['config.file'], flags.server, terminal));
    });
  const quarantine = 'rename a damaged state file so that the exporter can start; nothing is deleted';
  command(state, 'quarantine', quarantine, configFile()).action(async (flags: StateFlags) => {
    const { quarantineState } = await import('./state.js');
    end(quarantineState(flags['config.file'], terminal));
  });
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Must be a duration such as 20s or 5m.');
  return ms;
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Must be an integer.');
  return Number(text);
}
