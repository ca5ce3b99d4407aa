import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

test.each([
  ['Dockerfile', /^ENTRYPOINT .*"--max-semi-space-size=16"/m],
  ['Dockerfile', /^ENV .*\bMALLOC_MMAP_THRESHOLD_=131072\b/m],
  ['examples/systemd/vb365-exporter.service', /^Environment=NODE_OPTIONS=--max-semi-space-size=16\b/m],
  ['examples/systemd/vb365-exporter.service', /^Environment=.*\bMALLOC_MMAP_THRESHOLD_=131072\b/m],
  ['examples/windows/vb365-exporter.xml', /<arguments>--max-semi-space-size=16 /],
])('%s has memory given back: %s', (file, setting) => {
  expect(readFileSync(file, 'utf8')).toMatch(setting);
});
