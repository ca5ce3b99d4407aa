import { expect, test } from '@jest/globals';
import { defaultQuirks } from '../../src/simulator/quirks.js';
import { simulate } from '../../src/simulator/simulate.js';
import { drivenClock } from '../support/simulator.js';

const kinds = { userId: 'user', teamId: 'team', siteId: 'site', groupId: 'group' } as const;

test('generated events touch users, groups, sites and teams, a shared mailbox, and people who are gone', async () => {
  const history = { sessions: 60, eventsEach: 20, days: 3 };
  const simulator = await simulate({ clock: drivenClock(), quirks: defaultQuirks, history });
  const { world } = simulator;
  const seen = new Set<string>();
  for (const { event } of world.book())
    for (const [member, kind] of Object.entries(kinds)) {
      const id = event.touched[member as keyof typeof kinds];
      if (id === '') continue;
      const owner = world.owner(kind, id);
      seen.add(owner === undefined ? `${kind} gone` : `${kind} ${owner.accountType ?? ''}`.trim());
      if (kind === 'group' && event.touched.teamId === '') seen.add('mailbox of a group');
    }
  await simulator.close();
  expect([...seen].sort()).toEqual([
    'group',
    'mailbox of a group',
    'site',
    'team',
    'user SharedMailbox',
    'user User',
    'user gone',
  ]);
});
