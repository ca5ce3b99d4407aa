import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { detectionsMarkdown } from '../../dashboards/src/detections/detections-markdown.js';
import { logDetections } from '../../dashboards/src/detections/log-detections.js';
import { misuseAlerts } from '../../dashboards/src/detections/misuse-alerts.js';
import { attackNames } from '../../src/simulator/attack-names.js';

const detections = [...logDetections, ...misuseAlerts];

test('docs/DETECTIONS.md says what the code says, and links the runbook of every detection once', () => {
  const text = detectionsMarkdown();
  expect(readFileSync('docs/DETECTIONS.md', 'utf8')).toBe(text);
  const linked = [...text.matchAll(/runbooks\/(VB365\w+)\.md/g)].map(([, name = '']) => name);
  expect(linked).toEqual(detections.map(({ name }) => name));
});

test('every attack is one that a detection is tried with', () => {
  expect([...new Set(detections.map(({ triedWith }) => triedWith as string))].toSorted()).toEqual(
    attackNames.toSorted(),
  );
});

test.each(detections.map(detection => [detection.name, detection] as const))(
  '%s has its techniques in its runbook',
  (name, { attack }) => {
    expect(readFileSync(`dashboards/runbooks/${name}.md`, 'utf8')).toContain(`ATT&CK ${attack.join(', ')}.`);
  },
);

test('every placeholder is in the files that its command changes', () => {
  const text = detectionsMarkdown();
  for (const placeholder of ['partner.example.com', 'partner-example', 'provider-example']) {
    expect(text).toContain(`\`${placeholder}\``);
    for (const store of ['loki', 'victorialogs'])
      expect(readFileSync(`dashboards/detections/${store}/vb365-misuse.yml`, 'utf8')).toContain(placeholder);
  }
});
