import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

test.each(['Dockerfile', 'examples/systemd/vb365-exporter.service', 'examples/windows/vb365-exporter.xml'])(
  '%s bounds the young generation',
  file => {
    expect(readFileSync(file, 'utf8')).toMatch(
      /^(?:ENTRYPOINT|Environment=NODE_OPTIONS=|\s*<arguments>).*--max-semi-space-size=16\b/m,
    );
  },
);
