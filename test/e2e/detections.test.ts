import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../../src/kernel/clock.js';
import type { AttackName } from '../../src/simulator/attack-names.js';
import { organizations } from '../../src/simulator/cast.js';
import { generatedOwners } from '../../src/simulator/owners.js';
import { World } from '../../src/simulator/world.js';
import { officeHours } from '../support/office-hours.js';
import { type LogArchive, lokiArchive, victoriaLogsArchive } from './support/log-archives.js';
import { replayed } from './support/replay.js';
import { freePort, getText, startProgram, whenReady } from './support/running.js';
import { secondsToNotice } from './support/staged-attacks.js';
import { toolPath } from './support/tools.js';

type Store = Readonly<{ name: string; rules: string; start: (folder: string) => Promise<LogArchive> }>;

const stores: readonly Store[] = [
  { name: 'LogsQL on a real VictoriaLogs', rules: 'victorialogs', start: victoriaLogsArchive },
  { name: 'LogQL, as the evaluator of the tests understands it', rules: 'loki', start: lokiArchive },
];

type Rule = Readonly<{ alert: string; expr: string }>;
type RuleFile = Readonly<{ groups: readonly Readonly<{ rules: readonly Rule[] }>[] }>;

/** The rules as docs/DETECTIONS.md has them adapted: the accounts of the machine VB365 belong to the provider. */
const rulesOf = (store: string): readonly Rule[] =>
  (
    parse(
      readFileSync(`dashboards/detections/${store}/vb365-misuse.yml`, 'utf8').replaceAll('provider-example', 'vb365'),
    ) as RuleFile
  ).groups.flatMap(({ rules }) => rules);

/** The alerts that each attack raises: an attack is more than one thing. */
const raised: Readonly<Partial<Record<AttackName, readonly string[]>>> = {
  'first-export': ['VB365MisuseFirstExport'],
  'somebody-elses-data': ['VB365MisuseSomebodyElsesData'],
  'external-recipient': ['VB365MisuseExternalRecipient', 'VB365MisuseFirstExport'],
  'many-organizations': ['VB365MisuseManyOrganizations'],
  'mass-view': ['VB365MisuseOperatorViews'],
  'foreign-location': ['VB365MisuseForeignTarget'],
  'foreign-operator': ['VB365MisuseForeignOperator'],
};
const thursday = Date.parse('2026-03-12T10:00:00Z');
const saturday = Date.parse('2026-03-14T12:00:00Z');

const day = 86_400;
/** A Monday. 30 days of work come before the 30 quiet ones. */
const from = Date.parse('2025-11-03T00:00:00Z') / 1000;
const quietFrom = from + 30 * day;
const quietUntil = quietFrom + 30 * day;

function workingDays(): World {
  const world = new World(7);
  for (const owner of generatedOwners(7)) world.addOwner(owner);
  const script = { seed: 7, organizations, fromMs: from * 1000, untilMs: quietUntil * 1000, sessionsPerHour: 2 };
  officeHours({ ...script, overtime: false }).advance(world, quietUntil * 1000);
  return world;
}

/** Each half hour of the quiet days; nothing fires when nothing happened in the hour before. */
const quietTimes = Array.from({ length: 30 * 48 }, (_, index) => quietFrom + index * 1800).filter(at => {
  const hour = new Date(at * 1000).getUTCHours();
  return new Date(at * 1000).getUTCDay() % 6 !== 0 && hour >= 7 && hour < 20;
});

describe.each(stores)('$name', ({ rules: store, start }) => {
  const rules = rulesOf(store);
  let folder = '';
  let archive: LogArchive;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vb365-detections-'));
    archive = await start(folder);
  });

  afterAll(async () => {
    await archive.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What fires at a time, as `server: alert`. */
  const firing = async (atSeconds: number): Promise<readonly string[]> => {
    await archive.flush();
    const found = await Promise.all(
      rules.map(async ({ alert, expr }) =>
        (await archive.alert(expr, atSeconds)).map(({ labels }) => `${labels['server'] ?? ''}: ${alert}`),
      ),
    );
    return [...new Set(found.flat())].toSorted();
  };

  test.each<readonly [string, number, Readonly<Partial<Record<AttackName, readonly string[]>>>]>([
    ['in working hours', thursday, raised],
    ['on a Saturday', saturday, { 'outside-hours': ['VB365MisuseOutsideHours'] }],
  ])('attacks %s are noticed within 60 s, and as nothing else', async (_, atMs, expected) => {
    const wanted = Object.entries(expected).flatMap(([server, alerts]) => alerts.map(alert => `${server}: ${alert}`));
    const names = Object.keys(expected) as AttackName[];
    let last: readonly string[] = [];
    const folderOf = mkdtempSync(join(folder, 'state-'));
    const seconds = await secondsToNotice({ folder: folderOf, archive, atMs, names }, async atSeconds => {
      last = await firing(atSeconds);
      return wanted.every(one => last.includes(one)) ? true : undefined;
    });
    expect(last).toEqual(wanted.toSorted());
    expect(seconds).toBeLessThan(60);
  });

  test('30 quiet days raise nothing', async () => {
    const folderOf = mkdtempSync(join(folder, 'state-'));
    const worlds = new Map([['quiet', workingDays()]]);
    expect([...(worlds.get('quiet')?.book() ?? [])].length).toBeGreaterThan(5_000);
    await replayed({ worlds, folder: folderOf, fromMs: from * 1000, to: archive.url, protocol: archive.protocol });
    await archive.flush();
    const found: string[] = [];
    for (const at of quietTimes)
      for (const one of await firing(at)) found.push(`${new Date(at * 1000).toISOString()} ${one}`);
    expect(found).toEqual([]);
  }, 600_000);
});

test('vmalert asks VictoriaLogs and raises the alert of an attack within 60 s, with its texts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-vmalert-'));
  const archive = await victoriaLogsArchive(folder);
  const address = `127.0.0.1:${String(await freePort())}`;
  const running = startProgram({
    path: toolPath('vmalert'),
    args: [
      `-rule=${resolve('dashboards/detections/victorialogs/vb365-misuse.yml')}`,
      `-datasource.url=${archive.url.origin}`,
      `-httpListenAddr=${address}`,
      '-notifier.blackhole',
    ],
  });
  try {
    await whenReady(running, `http://${address}/health`);
    const attacks = { folder, archive, atMs: systemClock.now(), names: ['mass-view'] as const };
    const alert = (text: string): ActiveAlert | undefined =>
      (JSON.parse(text) as Readonly<{ data: Readonly<{ alerts: readonly ActiveAlert[] }> }>).data.alerts.find(
        ({ name, state }) => name === 'VB365MisuseOperatorViews' && state === 'firing',
      );
    let found: ActiveAlert | undefined;
    await secondsToNotice(attacks, async () => {
      found = alert((await getText(`http://${address}/api/v1/alerts`)).text);
      return found === undefined ? undefined : true;
    });
    expect(found?.labels).toMatchObject({ server: 'mass-view', severity: 'warning', component: 'security' });
    const { summary, description, dashboard_url } = found?.annotations ?? {};
    expect(summary).toBe(
      'contoso\\backup.admin viewed an unusually large number of items of contoso.onmicrosoft.com on mass-view.',
    );
    expect(description).toContain('viewed 250 items of contoso.onmicrosoft.com on mass-view within 1h.');
    expect(dashboard_url).toContain('var-server=mass-view&var-organization=contoso.onmicrosoft.com');
    expect(dashboard_url).toContain('var-initiator=contoso%5Cbackup.admin');
  } finally {
    await running.stop();
    await archive.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

type ActiveAlert = Readonly<{
  name: string;
  state: string;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}>;
