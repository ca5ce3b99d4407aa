import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

test.each([
  ['Dockerfile', /^ENTRYPOINT .*"--max-semi-space-size=16"/m],
  ['Dockerfile', /^ENV .*\bMALLOC_MMAP_THRESHOLD_=131072\b/m],
  ['packaging/linux/vb365-exporter', /^exec .* --max-semi-space-size=16 /m],
  ['packaging/linux/vb365-exporter', /^export MALLOC_MMAP_THRESHOLD_=.*131072/m],
  ['packaging/windows/service/settings.go', /"--max-semi-space-size=16"/],
])('%s has memory given back: %s', (file, setting) => {
  expect(readFileSync(file, 'utf8')).toMatch(setting);
});
