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
  const run = async (...command: readonly string[]) => {
    const args = ['-t', firstProcess(running), '-m', '-u', '-i', '-p', '-r', '-w', ...command];
    return runProgram({ path: 'nsenter', args, env: environment });
  };
  const booted = async (): Promise<true | undefined> =>
    /^(?:running|degraded)/m.test((await run('systemctl', 'is-system-running')).output) ? true : undefined;
  try {
    await eventually('systemd takes orders', booted, 240_000);
  } catch (thrown) {
    await running.stop();
    throw new Error(`${String(thrown)}\n${running.output()}`, { cause: thrown });
  }
  return {
    run,
    must: async (...command) => {
      const { code, output } = await run(...command);
      if (code !== 0) throw new Error(`${command.join(' ')}: ${output}`);
      return output;
    },
    stop: async () => {
      await run('systemctl', 'poweroff').catch(() => undefined);
      await running.stop(30_000);
    },
  };
}

const environment = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  DEBIAN_FRONTEND: 'noninteractive',
};

/**
 * The process that is number 1 inside: a child of systemd-nspawn, which has another one while it prepares the machine.
 * @throws {Error} until it is there.
 */
function firstProcess(running: Running): string {
  const pid = String(running.pid);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const first = children.find(child => child !== '' && readFileSync(`/proc/${child}/comm`, 'utf8') === 'systemd\n');
  if (first === undefined) throw new Error('The machine has no first process');
  return first;
}
