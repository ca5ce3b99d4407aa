import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { recordAttributes } from '../../src/otlp/attributes.js';

const folder = 'dashboards/runbooks';
const attributes = new Map(
  Object.values(recordAttributes)
    .flat()
    .map(({ name, help }) => [name, help] as const),
);

test.each(readdirSync(folder))(
  'the runbook %s names attributes that records have, and none that is deprecated',
  file => {
    const text = readFileSync(`${folder}/${file}`, 'utf8');
    const named = [...text.matchAll(/veeam\.[a-z.]+[a-z]/g)].map(([name]) => name);
    for (const name of named)
      expect([name, attributes.get(name)]).toEqual([name, expect.not.stringContaining('Deprecated')]);
    expect(text).not.toMatch(/client address/i);
  },
);
