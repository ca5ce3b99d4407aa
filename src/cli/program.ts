import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/duration.js';
import { toExporterError } from '../kernel/errors.js';
import { logFormats, logLevels } from '../kernel/log.js';
import { parseListenAddress } from '../web/listen.js';
import type { DoctorFlags } from './doctor.js';
import type { ServeOptions } from './serve.js';
import type { SimulateFlags } from './simulate.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

const listenAddress = () => new Option('--web.listen-address <address>', 'address to listen on').default(':10365');
const webConfig = () =>
  new Option('--web.config.file <file>', 'file with TLS and passwords of the web pages, as exporter-toolkit has it');
const configFile = () =>
  new Option('--config.file <file>', 'configuration file (default: vb365-exporter.yaml, if it is there)');

// What a command needs is loaded by its action: a start takes no time for the others, and a health check none for any.

/**
 * Runs the command that `argv` (without node and script) names; answers the exit code. Whatever goes wrong is one line.
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: ExitCode = exitCodes.stopped;
  const program = commands(terminal, ended => {
    code = ended;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.stopped : exitCodes.usage;
    const error = toExporterError(thrown);
    terminal.complain(error.message);
    if (error.reason === 'bug' && error.cause instanceof Error) terminal.complain(String(error.cause.stack));
    return error.reason === 'config' ? exitCodes.usage : exitCodes.cannotRun;
  }
}

function commands(terminal: Terminal, end: (code: ExitCode) => void): Command {
  const program = new Command('vb365-exporter')
    .description('Prometheus metrics and OpenTelemetry logs of restore sessions in Veeam Backup for Microsoft 365')
    .version(terminal.version, '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    .configureOutput({
      writeOut: text => {
        terminal.print(text.trimEnd());
      },
      writeErr: text => {
        terminal.complain(text.trimEnd());
      },
    });
  addServe(program, terminal, end);
  addDemo(program, terminal, end);
  addCheck(program, terminal, end);
  addDoctor(program, terminal, end);
  addSimulate(program, terminal, end);
  addHealthcheck(program, terminal, end);
  addState(program, terminal, end);
  return program;
}

type Add = (program: Command, terminal: Terminal, end: (code: ExitCode) => void) => void;

const addServe: Add = (program, terminal, end) => {
  program
    .command('serve', { isDefault: true })
    .description('poll servers and serve metrics (the default)')
    .addOption(configFile())
    .addOption(listenAddress())
    .addOption(webConfig())
    .option('--web.telemetry-path <path>', 'where the metrics are', '/metrics')
    .option('--web.enable-lifecycle', 'allow POST /-/reload, which reads the configuration anew as SIGHUP does', false)
    .addOption(new Option('--log.level <level>', 'least level to log').choices(logLevels).default('info'))
    .addOption(new Option('--log.format <format>', 'how a log line is written').choices(logFormats).default('logfmt'))
    .action(async (flags: Flags) => {
      const { serve } = await import('./serve.js');
      end(await serve(serveOptions(flags), terminal));
    });
};

type Flags = Readonly<{
  'config.file'?: string;
  'web.listenAddress': string;
  'web.telemetryPath': string;
  'web.config.file'?: string;
  'web.enableLifecycle': boolean;
  'log.level': ServeOptions['logLevel'];
  'log.format': ServeOptions['logFormat'];
}>;

const serveOptions = (flags: Flags): ServeOptions => ({
  configFile: flags['config.file'],
  listenAddress: flags['web.listenAddress'],
  telemetryPath: flags['web.telemetryPath'],
  webConfigFile: flags['web.config.file'],
  lifecycle: flags['web.enableLifecycle'],
  logLevel: flags['log.level'],
  logFormat: flags['log.format'],
});

const addDemo: Add = (program, terminal, end) => {
  program
    .command('demo')
    .description('show it all against a simulated server: metrics, and log records as they arrive')
    .option('--for <duration>', 'end by itself after so long, such as 20s', duration)
    .option('--seed <number>', 'decides what is simulated', whole, 1)
    .addOption(listenAddress().default('127.0.0.1:10365'))
    .action(async (flags: Readonly<{ for?: number; seed: number; 'web.listenAddress': string }>) => {
      const options = { forMs: flags.for, seed: flags.seed, listenAddress: flags['web.listenAddress'] };
      const { demo } = await import('./demo.js');
      end(await demo(options, terminal));
    });
};

const addCheck: Add = (program, terminal, end) => {
  program
    .command('check')
    .description('check the configuration and say what is wrong with it')
    .addOption(configFile())
    .addOption(webConfig())
    .action(async (flags: Pick<Flags, 'config.file' | 'web.config.file'>) => {
      const { readConfig } = await import('./read-config.js');
      const { readWebConfig } = await import('./web-config-file.js');
      const { servers, warnings } = readConfig(flags['config.file'], terminal.env);
      readWebConfig(flags['web.config.file']);
      for (const warning of warnings) terminal.complain(warning);
      terminal.print(`The configuration is good (servers: ${servers.map(({ name }) => name).join(', ')})`);
      end(exitCodes.stopped);
    });
};

const addDoctor: Add = (program, terminal, end) => {
  program
    .command('doctor')
    .description('try everything that the exporter needs, and say what is wrong and what to do')
    .addOption(configFile())
    .addOption(listenAddress())
    .addOption(webConfig())
    .option('--json', 'as JSON', false)
    .action(async (flags: DoctorFlags) => {
      const { doctor } = await import('./doctor.js');
      end(await doctor(flags, terminal));
    });
};

const addSimulate: Add = (program, terminal, end) => {
  program
    .command('simulate')
    .description('run a simulated VB365 server')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on', whole, 4443)
    .option('--seed <number>', 'decides what is simulated', whole, 1)
    .option('--pace <factor>', 'how lively it goes; 1: a new session about every 5 s', whole, 1)
    .option('--sessions <count>', 'sessions of the past', whole, 0)
    .option('--events <count>', 'events in each of them', whole, 25)
    .action(async (flags: SimulateFlags) => {
      const { runSimulator } = await import('./simulate.js');
      end(await runSimulator(flags, terminal));
    });
};

const addHealthcheck: Add = (program, terminal, end) => {
  program
    .command('healthcheck')
    .description('ask a running exporter on this machine whether it is healthy')
    .addOption(listenAddress())
    .addOption(webConfig())
    .action(async (flags: Pick<Flags, 'web.listenAddress' | 'web.config.file'>) => {
      const { readWebConfig } = await import('./web-config-file.js');
      const { healthcheck } = await import('./healthcheck.js');
      const { tls } = readWebConfig(flags['web.config.file']);
      end(await healthcheck(parseListenAddress(flags['web.listenAddress']), tls, terminal));
    });
};

const addState: Add = (program, terminal, end) => {
  const state = program.command('state').description('look into the state file of a stopped exporter, and mend it');
  state
    .command('show')
    .description('show what is kept of each server')
    .addOption(configFile())
    .option('--json', 'as JSON', false)
    .action(async (flags: StateFlags & Readonly<{ json: boolean }>) => {
      const { showState } = await import('./state.js');
      end(showState(flags['config.file'], flags.json, terminal));
    });
  state
    .command('forget')
    .description('remove all that is kept of a server, its counters included')
    .addOption(configFile())
    .requiredOption('--server <name>', 'name of the server')
    .action(async (flags: StateFlags & Readonly<{ server: string }>) => {
      const { forgetServer } = await import('./state.js');
      end(forgetServer(flags['config.file'], flags.server, terminal));
    });
  state
    .command('quarantine')
    .description('move a damaged state file aside, so that the exporter can start afresh; nothing is deleted')
    .addOption(configFile())
    .action(async (flags: StateFlags) => {
      const { quarantineState } = await import('./state.js');
      end(quarantineState(flags['config.file'], terminal));
    });
};

type StateFlags = Readonly<{ 'config.file'?: string }>;

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It is no duration such as 20s or 5m.');
  return ms;
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is no whole number.');
  return Number(text);
}
