import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { logsMarkdown } from '../../docs/src/logs-markdown.js';
import { recordAttributes } from '../../src/otlp/attributes.js';

test('docs/LOGS.md says what the tables say (if not: npm run docs)', () => {
  expect(readFileSync('docs/LOGS.md', 'utf8')).toBe(logsMarkdown());
});

test('the tables stay below what OpenTelemetry and Loki allow for one record', () => {
  for (const table of [recordAttributes.item, recordAttributes.session]) {
    expect(table.length).toBeLessThan(128);
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
  }
});
