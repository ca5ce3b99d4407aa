import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { put, stop } from '../support/discovery-rig.js';
import { fedLine } from '../support/fed.js';
import { append, change, following, minute, open } from '../support/following.js';
import { event } from '../support/server-run.js';

describe('Nothing lost: what the change feed reports', () => {
  test('an event that is added during the last read of a session is read after that', async () => {
    const line = await following();
    open(line, 's1');
    line.server.report({ id: 's1', eTag: '1' });
    await line.clock.advance(1_000);
    stop(line.server, 's1', line.server.at);
    line.server.report({ id: 's1', eTag: '2' });
    await line.clock.advance(1_000);
    const read = line.server.events.bind(line.server);
    const held = Promise.withResolvers<undefined>();
    line.server.events = async (...asked) => {
      const answer = await read(...asked);
      await held.promise;
      return answer;
    };
    await line.clock.advance(2 * minute);
    append(line, 's1', 1);
    line.server.report({ id: 's1', eTag: '3' });
    await line.clock.advance(5_000);
    expect(line.sink.taken()).toEqual(['s1-0']);
    held.resolve(undefined);
    await line.clock.advance(2 * minute);
    expect(line.sink.taken()).toEqual(['s1-0', 's1-1']);
    expect(await line.store.pending('hq', 'metrics')).toEqual([]);
    await line.stop();
  });

  test('a session that could not be read is reported again after a restart', async () => {
    const first = await following();
    open(first, 'bad');
    first.server.report({ id: 'bad', eTag: '1' });
    await first.clock.advance(1_000);
    stop(first.server, 'bad', first.server.at);
    change(first, 'bad', '2');
    first.server.report({ id: 'bad', eTag: '2' });
    await first.clock.advance(3 * minute);
    expect(await first.store.pending('hq', 'metrics')).toEqual([]);
    const { changeToken } = (await first.store.state('hq')).facts;
    first.server.sessions = async () => ({ sessions: [], rejects: [] });
    first.server.session = async () => {
      throw new ExporterError('decode', 'Could not read a restore session');
    };
    append(first, 'bad', 1);
    change(first, 'bad', '3');
    first.server.report({ id: 'bad', eTag: '3' });
    await first.clock.advance(10 * minute);
    expect((await first.store.state('hq')).facts.changeToken).toBe(changeToken);
    await first.stop();
    const again = fedLine({ store: first.store });
    for (const [id, held] of first.server.held) again.server.held.set(id, held);
    put(again.server, 'bad', event(0, { id: 'bad-0', endedAt: again.server.at }));
    append(again, 'bad', 1);
    again.server.report(...['1', '2', '3'].map(eTag => ({ id: 'bad', eTag })));
    again.start();
    await again.clock.advance(2_000);
    expect(again.sink.taken()).toEqual(['bad-1']);
    await again.stop();
  });
});
