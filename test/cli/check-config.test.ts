import { describe, expect, test } from '@jest/globals';
import { inEncodings } from '../support/encodings.js';
import { checking, run, server, valid } from '../support/checking.js';

const beginningAt = (history: string): string => `${server()}history: ${history}\n`;

describe('vb365-exporter check of a configuration', () => {
  test.each(inEncodings(server()))('accepts a configuration in $encoding', async ({ bytes }) => {
    expect(await checking(bytes.toString('latin1'), { 'config.yaml': bytes, password: 's3cret!' })).toEqual({
      code: 0,
      printed: [valid],
      errors: [],
    });
  });

  test.each([
    ['2099-01-01', 'must not be in the future'],
    ['1969-12-31', 'must not go back before 1970; write "all" for everything'],
    ['99999d', 'must not go back before 1970; write "all" for everything'],
    ['999999999d', 'must not go back before 1970; write "all" for everything'],
  ])('refuses the history %s', async (history, what) => {
    const { code, errors } = await checking(beginningAt(history), { password: 'x' });
    expect([code, errors]).toEqual([2, [`Could not read the configuration "config.yaml":\n- history: ${what}`]]);
  });

  test.each(['2020-01-01', '1970-01-01', '9999d', 'all', 'now'])('accepts the history %s', async history => {
    expect(await checking(beginningAt(history), { password: 'x' })).toMatchObject({ code: 0 });
  });

  test('refuses one URL under two names', async () => {
    const again = server().replace(
      ' }]',
      " }, { name: dr, url: 'https://VB365.example.com:4443/', username: u, password_file: p }]",
    );
    const { code, errors } = await checking(again, { password: 'x' });
    expect([code, errors[0]]).toEqual([
      2,
      expect.stringContaining('- servers[1].url: is already the url of servers[0]'),
    ]);
  });

  test('warns about a state file that is in the working directory only', async () => {
    const path = 'package.json';
    const { code, errors } = await checking(`${server()}state: { path: ${path} }\n`, { password: 'x' });
    expect([code, errors]).toEqual([
      0,
      [
        expect.stringMatching(
          /^Ignoring state file ".*package\.json": "state\.path" is relative to the configuration file/,
        ),
      ],
    ]);
  });

  test.each(['a: &a [*a]', `a: ${'['.repeat(10_000)}`, `a: ${'{a: '.repeat(10_000)}`])(
    'answers broken YAML with one line (%#)',
    async yaml => {
      const { code, errors } = await checking(yaml, {});
      expect([code, errors]).toEqual([
        2,
        [expect.stringMatching(/^Could not read the configuration "config\.yaml": .*nested too deeply.*$/)],
      ]);
    },
  );

  test('does not read an endless configuration or web configuration', async () => {
    const endless = await run(['check', '--config.file', '/dev/zero']);
    expect([endless.code, endless.errors]).toEqual([
      2,
      ['Could not read configuration file "/dev/zero": it is larger than 4 MiB'],
    ]);
    const web = await checking(server(), { password: 'x' }, ['--web.config.file', '/dev/zero']);
    expect([web.code, web.errors]).toEqual([
      2,
      ['Could not read web configuration "/dev/zero": it is larger than 4 MiB'],
    ]);
  });
});
