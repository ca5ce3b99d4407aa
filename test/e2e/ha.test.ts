import { expect, test } from '@jest/globals';
import { eventually, getText, runProgram, startProgram } from './support/running.js';

const script = 'examples/ha/run.mjs';

test('the example with two replicas: when one is killed, the other one reads its servers', async () => {
  const running = startProgram({ path: process.execPath, args: [script] });
  const found = async (pattern: RegExp): Promise<readonly string[]> =>
    eventually(String(pattern), () => pattern.exec(running.output()) ?? undefined, 60_000);
  try {
    await found(/^exporter-1 reads \w+; exporter-2 reads \w+$/m);
    const [, prometheus = ''] = await found(/^Prometheus (\S+)$/m);
    const query = encodeURIComponent('count by (server) (vb365_lease_acquired_timestamp_seconds)');
    await eventually(
      'Prometheus scrapes both replicas',
      async () => {
        const { text } = await getText(`${prometheus}/api/v1/query?query=${query}`);
        return /"hq"/.test(text) && /"branch"/.test(text) ? true : undefined;
      },
      60_000,
    );
    const [, pid = ''] = await found(/^exporter-1 \S+, process (\d+)$/m);
    process.kill(Number(pid), 'SIGKILL');
    await found(/^exporter-1 reads nothing; exporter-2 reads \w+ and \w+$/m);
  } finally {
    await running.stop(30_000);
  }
  expect(running.output()).not.toMatch(/ended:|Error|Warning/);
});

test('the example with two replicas names the program that is missing', async () => {
  const env = { PATH: '/nowhere', VB365_TOOLS: '/nowhere' };
  expect(await runProgram({ path: process.execPath, args: [script], env })).toEqual({
    code: 1,
    output: '"initdb" was not found on PATH; install it, or on Debian run: bash .ci/tools/postgresql\n',
  });
});
