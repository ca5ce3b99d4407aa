import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import type { AttackName } from '../../src/simulator/attack-names.js';
import { attack } from '../../src/simulator/attacks.js';
import { withChain } from './support/chain.js';
import { eventually } from './support/running.js';

describe('from an attack to the webhook of the security team', () => {
  test.each<readonly [AttackName, string]>([
    ['mass-view', 'VB365MisuseMassView'],
    ['delete-sessions', 'VB365MisuseSessionsDeleted'],
    ['failed-logins', 'VB365MisuseFailedLogins'],
    ['blind-exporter', 'VB365MisuseExporterBlinded'],
  ])('%s raises %s within 60 s', async (name, alert) => {
    await withChain(async chain => {
      expect(await chain.prometheus.query('ALERTS{component="security"}')).toEqual([]);
      await attack(name, chain.simulator, systemClock, new AbortController().signal);
      const { labels } = await eventually(
        `${alert} is reported`,
        () => chain.notified('security-team').find(one => one.labels['alertname'] === alert),
        60_000,
      );
      expect(labels).toMatchObject({ server: 'hq', component: 'security' });
    });
  });
});
