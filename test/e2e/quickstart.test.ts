import { expect, test } from '@jest/globals';
import { runProgram } from './support/running.js';

test('the quickstart shows an alert and ends', async () => {
  const args = ['examples/quickstart/run.mjs', '--until-alert'];
  const { code, output } = await runProgram({ path: process.execPath, args });
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/firing: VB365RestoreEventFailed/) });
  expect(output).toMatch(/server demo, organization \S+, workload \w+/);
});

test('the quickstart names the program that is missing', async () => {
  const env = { PATH: '/nowhere', VB365_TOOLS: '/nowhere' };
  const { code, output } = await runProgram({ path: process.execPath, args: ['examples/quickstart/run.mjs'], env });
  expect({ code, output }).toEqual({
    code: 1,
    output: '"prometheus" was not found on PATH; install it, or on Debian run: bash .ci/tools/prometheus\n',
  });
});
