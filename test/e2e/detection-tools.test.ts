import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { logDetections } from '../../dashboards/src/detections/log-detections.js';
import { runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const sigma = async (...args: readonly string[]) => runProgram({ path: toolPath('sigma'), args });
const rules = 'dashboards/detections/sigma';

/** Validators that fetch data from the Internet; a unit test looks at the form of the tags. */
const online = ['attacktag', 'd3_fendtag'].flatMap(validator => ['--exclude', validator]);

describe('sigma-cli', () => {
  test('finds nothing wrong with the rules', async () => {
    const { code, output } = await sigma('check', '--fail-on-error', '--fail-on-issues', ...online, rules);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('and 0 issues') });
  });

  test.each([
    ['splunk', 'veeam.restore.event.type="View"', '| search event_count > 200'],
    ['esql', 'veeam.restore.event.type=="View"', '| where event_count > 200'],
  ])('converts every rule for %s, as the documentation says', async (target, selected, counted) => {
    const command = ['convert', '-t', target, '--without-pipeline', rules];
    expect(readFileSync('docs/DETECTIONS.md', 'utf8')).toContain(`sigma ${command.join(' ')}`);
    const { code, output } = await sigma(...command);
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining(selected) });
    expect(output).toContain(counted);
    // One query per detection; a rule and its correlation are one.
    const queries = output.split('\n').filter(line => line.includes('"veeam.restore.item"'));
    expect(queries).toHaveLength(logDetections.length);
    expect(output).toContain('Restore session was deleted on the server within a week');
  });
});

test('vmalert finds nothing wrong with the rules for VictoriaLogs', async () => {
  const file = resolve('dashboards/detections/victorialogs/vb365-misuse.yml');
  const { code, output } = await runProgram({ path: toolPath('vmalert'), args: [`-rule=${file}`, '-dryRun'] });
  expect({ code, output }).toMatchObject({ code: 0 });
});
