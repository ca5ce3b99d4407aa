import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { done } from './image.js';
import { eventually, runProgram, type Running, startProgram } from './running.js';
import { toolPath, toolsFolder } from './tools.js';

/** Unpacks a bare Debian 12 into `folder`. @throws {Error} that says how to get it. */
export async function unpackMachine(folder: string): Promise<string> {
  const archive = join(toolsFolder(), 'machine.tar');
  if (!existsSync(archive))
    throw new Error(`The end-to-end tests need "${archive}"; get it with: bash .ci/tools/machine`);
  const root = join(folder, 'root');
  mkdirSync(root);
  await done({ path: 'tar', args: ['-xf', archive, '-C', root] });
  return root;
}

/** A machine with systemd. It has the network of this one. */
export interface Machine {
  /** Runs a program in it, as root. */
  run(...command: readonly string[]): ReturnType<typeof runProgram>;
  /** What it wrote. @throws {Error} with that, unless it ended well. */
  must(...command: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Boots a root file system and waits until systemd takes orders. */
export async function bootMachine(root: string): Promise<Machine> {
  const how = ['--quiet', '--register=no', '--keep-unit', '--resolv-conf=off', '--timezone=off'];
  const running = startProgram({ path: toolPath('nspawn'), args: [...how, '--directory', root, '--boot'] });
  const pid = await eventually('the machine has a first process', () => firstProcess(running));
  const run = async (...command: readonly string[]) =>
    runProgram({
      path: 'nsenter',
      args: ['-t', pid, '-m', '-u', '-i', '-p', '-r', '-w', ...command],
      env: environment,
    });
  await eventually('systemd takes orders', async () => {
    const { output } = await run('systemctl', 'is-system-running');
    return /^(?:running|degraded)/m.test(output) ? true : undefined;
  });
  return {
    run,
    must: async (...command) => {
      const { code, output } = await run(...command);
      if (code !== 0) throw new Error(`${command.join(' ')}: ${output}`);
      return output;
    },
    stop: async () => {
      await run('systemctl', 'poweroff');
      await running.stop(30_000);
    },
  };
}

const environment = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  DEBIAN_FRONTEND: 'noninteractive',
};

/** The process that is number 1 inside: the child of systemd-nspawn. */
function firstProcess({ pid, output, alive }: Running): string | undefined {
  if (!alive()) throw new Error(output());
  const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8')
    .trim()
    .split(' ');
  return children.find(child => child !== '');
}
