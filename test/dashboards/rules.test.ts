import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { logDetections } from '../../dashboards/src/detections/log-detections.js';
import { recordings } from '../../dashboards/src/recordings.js';
import { annotationsOf, components, runbookBase, severities } from '../../dashboards/src/rule.js';
import { alerts, ruleFiles } from '../../dashboards/src/rule-files.js';
import { cases, ruleTestFiles } from '../../dashboards/src/rule-tests.js';
import { families } from '../../src/metrics/catalogue.js';
import { familyOf, ofTheScrape } from './families.js';

const named = alerts.map(alert => [alert.name, alert] as const);
const rules = [...named, ...recordings.map(rule => [rule.name, rule] as const)];

type Selector = Readonly<{
  metric: string;
  matchers: readonly (readonly [label: string, operator: string, value: string])[];
}>;

/** What an expression selects; a recorded series is followed to what it is made of. */
function selectors(expr: string, within: readonly string[] = []): readonly Selector[] {
  return [...expr.matchAll(/([a-z_]+:)?\b(vb365_\w+|up|scrape_\w+|process_\w+)\b(?::(\w+))?(?:\{([^}]*)\})?/g)].flatMap(
    ([text, level, metric = '', , inside = '']) => {
      if (level !== undefined) {
        const recorded = text.replace(/\{.*/, '');
        // A recording may read its own last value.
        if (within.includes(recorded)) return [];
        const { expr: of = 'vb365_of_no_recording' } = recordings.find(({ name }) => name === recorded) ?? {};
        return selectors(of, [...within, recorded]);
      }
      const matchers = [...inside.matchAll(/(\w+)(=~|!=|!~|=)"([^"]*)"/g)];
      return [
        {
          metric,
          matchers: matchers.map(([, label = '', operator = '', value = '']) => [label, operator, value] as const),
        },
      ];
    },
  );
}

describe('every rule', () => {
  test.each(rules)('%s names only metrics and labels of the catalogue', (_, { expr }) => {
    const found = selectors(expr);
    expect(found).not.toEqual([]);
    const unknown = found.filter(({ metric }) => familyOf(metric) === undefined).map(({ metric }) => metric);
    expect(unknown).toEqual([]);
    for (const { metric, matchers } of found) {
      const { labels, known } = familyOf(metric) ?? { labels: [], known: {} };
      for (const [label, operator, value] of matchers) {
        expect([...labels, ...ofTheScrape]).toContain(label);
        const values = known[label];
        if (values !== undefined && !operator.includes('~')) expect(values).toContain(value);
      }
    }
    const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
    const allLabels = found.flatMap(({ metric }) => familyOf(metric)?.labels ?? []);
    expect([...allLabels, ...ofTheScrape]).toEqual(expect.arrayContaining(grouped));
  });

  test.each(['increase(vb365_nothing_total{server="x"}[5m]) > 0', 'organization:vb365_nothing:increase1h > 0'])(
    'the check is seen to fail for what does not exist: %s',
    expr => {
      expect(selectors(expr).map(({ metric }) => familyOf(metric))).toEqual([undefined]);
    },
  );
});

describe('every alert', () => {
  test('has a unique name', () => {
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  test.each(named)('%s says how urgent it is, what is the matter and what to do', (name, alert) => {
    expect(name).toMatch(/^VB365[A-Z][A-Za-z]+$/);
    expect(severities).toContain(alert.severity);
    expect(components).toContain(alert.component);
    expect(alert.summary).toMatch(/^[A-Z].*\.$/);
    expect(alert.summary).not.toContain('$value');
    for (const label of alert.about) if (label !== 'workload') expect(alert.summary).toContain(` $labels.${label} }}`);
    expect(alert.description).toMatch(/\.$/);
    expect(alert.description.length).toBeLessThan(400);
    const { runbook_url, dashboard_url } = annotationsOf(alert);
    expect(runbook_url).toBe(`${runbookBase}/${name}.md`);
    expect(dashboard_url).toMatch(/^https:\/\/\S+\/d\/vb365-[a-z]+\?.*from=now-\w+&to=now$/);
    for (const label of alert.about) expect(dashboard_url).toContain(`var-${label}={{ $labels.${label} | urlquery }}`);
  });

  test('lasts when a server moves to another replica: only alerts about a process have its labels', () => {
    const ofProcess = alerts.filter(({ expr }) =>
      /by \([^)]*\b(?:job|instance|pod)\b/.test(expr.replace(/on \(job, instance\) group_left/g, '')),
    );
    expect(ofProcess.map(({ name }) => name)).toEqual(['VB365StateErrors', 'VB365StateFailing']);
  });

  test.each(named)('%s names only labels that it has', (name, alert) => {
    const firing = cases.flatMap(one => (one.alert === name ? one.looks : [])).flatMap(({ fires }) => fires ?? []);
    const used = [
      ...Object.values(annotationsOf(alert))
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g),
    ].map(([, label = '']) => label);
    const always = used.filter(label => label !== 'organization');
    for (const { labels } of firing) expect(Object.keys(labels)).toEqual(expect.arrayContaining(always));
    // The organization can be switched off.
    expect(firing.map(({ labels }) => Object.keys(labels))).toContainEqual(expect.arrayContaining(used));
  });

  test.each(named)('%s is tried where it has to fire, and where it has to be silent', name => {
    const own = cases.filter(one => one.alert === name);
    expect(own.some(({ looks }) => looks.some(({ fires }) => fires !== undefined))).toBe(true);
    expect(own.some(({ looks }) => looks.every(({ fires }) => fires === undefined))).toBe(true);
  });
});

describe('runbooks', () => {
  const pages = readdirSync('dashboards/runbooks');

  test('there is one for each alert and detection, and none more', () => {
    expect(pages.toSorted()).toEqual([...alerts, ...logDetections].map(({ name }) => `${name}.md`).toSorted());
  });

  test.each(pages)('%s says what it means, what to look at and what to do', page => {
    const text = readFileSync(`dashboards/runbooks/${page}`, 'utf8');
    expect(text.split('\n').filter(line => line.startsWith('#'))).toEqual([
      `# ${page.replace('.md', '')}`,
      '## Meaning',
      '## Impact',
      '## Diagnosis',
      '## Causes',
      '## Mitigation',
      '## Silence',
    ]);
  });

  test.each(alerts.filter(({ severity }) => severity === 'critical').map(({ name }) => name))(
    '%s is critical: its page starts with what is lost if nobody acts, and by when',
    name => {
      const [, , first = ''] = readFileSync(`dashboards/runbooks/${name}.md`, 'utf8').split('\n');
      expect(first).toMatch(/^\*\*If nobody acts\*\*: .*(?:days|hours|at once|from now on)/);
    },
  );

  test.each(pages)('%s names metrics, alerts and pages that exist', page => {
    const text = readFileSync(`dashboards/runbooks/${page}`, 'utf8');
    const names: readonly string[] = families.map(({ name }) => name);
    const recorded = recordings.map(({ name }) => name);
    const metrics = [...text.matchAll(/(?<![:\w])vb365_\w+/g)].map(([metric]) => metric);
    expect(metrics.filter(metric => familyOf(metric) === undefined && !names.includes(metric))).toEqual([]);
    const series = [...text.matchAll(/\w+:vb365_\w+:\w+/g)].map(([name]) => name);
    expect(recorded).toEqual(expect.arrayContaining(series));
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);
    expect(pages).toEqual(expect.arrayContaining(links));
  });
});

describe('Alertmanager', () => {
  const config = readFileSync('dashboards/alertmanager/alertmanager.yml', 'utf8');

  test('names only alerts that exist', () => {
    const mentioned = [...config.replace(/^\s*#.*$/gm, '').matchAll(/VB365[A-Z]\w+/g)].map(([name]) => name);
    expect(alerts.map(({ name }) => name as string)).toEqual(expect.arrayContaining(mentioned));
  });
});

test.each([...ruleFiles(), ...ruleTestFiles()])('$path is what the code says', ({ path, text }) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});
