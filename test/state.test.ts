import { expect, test } from '@jest/globals';
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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

test('a damaged cursor stops its server alone, with a line that names the session and the remedy', async () => {
  await onStage({}, async ({ folder, simulator: { url, world } }) => {
    await onStage({ seed: 2 }, async ({ simulator: branch }) => {
      const servers = [serverConfig(url), serverConfig(branch.url, { name: 'branch' })];
      const config = { ...configOf(folder, serverConfig(url)), servers };
      const session = openSession(world);
      await running(await program(config), async app => {
        await until(async () => polled(app));
        addEvents(world, session, 5);
        await until(async () => (await app.value(restored)) === 5);
      });
      const write = (cursor: string): void => {
        const database = new DatabaseSync(join(folder, 'state.db'));
        const { changes } = database.prepare("UPDATE session SET cursor = ? WHERE server = 'hq'").run(cursor);
        database.close();
        expect(changes).toBe(1);
      };

      write('x-4;Success=5;');
      addEvents(world, session, 2);
      await running(await program(config), async app => {
        await until(async () => ((await app.value('vb365_poll_errors_total{server="hq",reason="store"}')) ?? 0) > 0);
        await until(async () => polled(app, 'branch'));
        expect(app.said.join('')).toMatch(
          new RegExp(`server=hq .*the cursor of sink .*metrics.* ${session}: it is damaged; .*state forget`),
        );
        expect(await app.value(restored)).toBe(5);
      });

      write('0-4;Success=5;');
      await running(await program(config), async app => until(async () => (await app.value(restored)) === 7));
    });
  });
});
