import { expect, test } from '@jest/globals';
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sqliteStore } from '../src/store/sqlite.js';
import { stateErrors } from '../src/metrics/delivery-families.js';
import { program, type Program } from './support/program.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';
import { addEvents, onStage, openSession, polled, restored, running } from './support/stage.js';

const stateOperations = stateErrors.known.operation;
const errorsOf = (operation: string): string => `vb365_state_errors_total{operation="${operation}"}`;
const failures = async (app: Program): Promise<number> => {
  const all = await Promise.all(stateOperations.map(async operation => app.value(errorsOf(operation))));
  return all.reduce<number>((sum, value) => sum + (value ?? 0), 0);
};

test('a state file moved away in use pauses commits, is logged and counted, and everything continues when it is back', async () => {
  await onStage({}, async ({ folder, simulator: { url, world }, receiver }) => {
    const path = join(folder, 'state.db');
    await running(await program(configOf(folder, serverConfig(url), receiver.url)), async app => {
      await until(async () => polled(app));
      for (const operation of stateOperations) expect(await app.value(errorsOf(operation))).toBe(0);
      const session = openSession(world);
      addEvents(world, session, 5);
      await until(async () => (await app.value(restored)) === 5 && receiver.records().length >= 5);

      renameSync(path, `${path}.old`);
      addEvents(world, session, 3);
      await until(async () => (await failures(app)) >= 3);
      expect(await app.value(restored)).toBe(5);
      expect(await app.value('vb365_server_up{server="hq"}')).toBe(1);
      expect(app.said.join('')).toMatch(
        /level=warn .*reason=store .*was deleted, replaced or cut short while in use; put/,
      );
      expect((await app.get('/')).text).toContain('was deleted, replaced or cut short');

      renameSync(`${path}.old`, path);
      await until(async () => (await app.value(restored)) === 8 && receiver.records().length >= 8);
      expect(receiver.records()).toHaveLength(8);
    });
  });
});

test('a state file that was replaced is never written again, and neither is its replacement', async () => {
  await onStage({}, async ({ folder, simulator: { url, world } }) => {
    const path = join(folder, 'state.db');
    const other = join(folder, 'other.db');
    await (await sqliteStore({ path: other })).close();
    const app = await program(configOf(folder, serverConfig(url)));
    await running(app, async () => {
      await until(async () => polled(app));
      rmSync(path);
      copyFileSync(other, path);
      addEvents(world, openSession(world), 3);
      await until(async () => (await failures(app)) >= 3);
    });
    expect(readFileSync(path).equals(readFileSync(other))).toBe(true);
  });
});

test.each<[string, (path: string) => void, RegExp]>([
  [
    'damaged',
    path => writeFileSync(path, 'garbage '.repeat(1_000)),
    /it is not a state file, or it is damaged; restore a backup/,
  ],
  ['empty', path => writeFileSync(path, ''), /it is empty; restore a backup/],
])('a start with a state file that is %s is refused, and the file is kept', async (_, write, why) => {
  await onStage({}, async ({ folder, simulator: { url } }) => {
    const path = join(folder, 'state.db');
    write(path);
    const before = readFileSync(path);
    await expect(program(configOf(folder, serverConfig(url)))).rejects.toMatchObject({
      reason: 'store',
      message: expect.stringMatching(why),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});
