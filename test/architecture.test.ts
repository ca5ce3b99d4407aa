import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Rule = Readonly<{ rooms: readonly string[]; packages: readonly string[] }>;

/** Who may import whom. `rooms` lists the rooms (and root files) that a room may use, `packages` its npm and node modules. */
const rules: Readonly<Record<string, Rule>> = {
  kernel: { rooms: [], packages: ['node:crypto', 'node:timers/promises', 'node:util', 'pino'] },
  model: { rooms: [], packages: [] },
  telemetry: {
    rooms: ['kernel', 'model', 'pipeline'],
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/core',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-logs',
      '@opentelemetry/sdk-trace',
      '@opentelemetry/semantic-conventions',
    ],
  },
  pipeline: { rooms: ['kernel', 'model'], packages: [] },
  source: { rooms: ['kernel', 'model', 'pipeline'], packages: ['node:crypto', 'node:tls', 'undici', 'zod'] },
  sink: {
    rooms: ['kernel', 'model', 'pipeline', 'telemetry'],
    packages: [
      'prom-client',
      'undici',
      '@opentelemetry/core',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-logs',
      '@opentelemetry/sdk-node',
      '@opentelemetry/sdk-trace',
      '@opentelemetry/api',
      '@opentelemetry/otlp-exporter-base',
      '@opentelemetry/otlp-exporter-base/node-http',
      '@opentelemetry/otlp-transformer',
      '@opentelemetry/exporter-logs-otlp-http',
      '@opentelemetry/semantic-conventions',
      'node:fs',
      'node:util',
      'node:zlib',
    ],
  },
  store: { rooms: ['kernel', 'model', 'pipeline'], packages: ['node:sqlite', 'node:fs', 'node:path'] },
  web: {
    rooms: ['kernel'],
    packages: [
      'bcryptjs',
      'express',
      'node:crypto',
      'node:http',
      'node:https',
      'node:net',
      'node:tls',
      'node:util',
      'node:zlib',
    ],
  },
  simulator: { rooms: ['kernel', 'model'], packages: ['express', 'node:http', 'node:https', 'node:net'] },
  config: { rooms: ['kernel', 'model'], packages: ['yaml', 'zod'] },
  doctor: {
    rooms: ['config', 'kernel', 'server-source', 'sink', 'source', 'store', 'web'],
    packages: ['node:dns/promises', 'node:net'],
  },
  cli: {
    rooms: ['app', 'config', 'doctor', 'kernel', 'simulator', 'store', 'web'],
    packages: ['commander', 'node:fs', 'node:http', 'node:https', 'node:os', 'node:path'],
  },
};

const files = Object.keys(rules).flatMap(room =>
  readdirSync(join('src', room)).map(file => ({ room, path: join('src', room, file) })),
);

/** Every module specifier of a source text: `from '...'`, `import '...'` and `import('...')`. */
function specifiers(source: string): readonly string[] {
  return [...source.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1] ?? '');
}

/** What a file of `room` imports and may not. */
function strays(room: string, source: string): readonly string[] {
  const rule = rules[room] ?? { rooms: [], packages: [] };
  return specifiers(source).filter(specifier => {
    if (specifier.startsWith('./')) return false;
    const other = /^\.\.\/([^/]+?)(?:\.js|\/.*)$/.exec(specifier)?.[1];
    return other === undefined ? !rule.packages.includes(specifier) : !rule.rooms.includes(other);
  });
}

describe('the import table', () => {
  test.each(files)('$path keeps to its room', ({ room, path }) => {
    expect(strays(room, readFileSync(path, 'utf8'))).toEqual([]);
  });

  test.each([
    ['model', "import { request } from 'undici';", ['undici']],
    ['pipeline', "import { decodePage } from '../source/decode.js';", ['../source/decode.js']],
    ['web', "import type { Config } from '../config.js';", ['../config.js']],
    ['kernel', "const { readFileSync } = await import('node:fs');", ['node:fs']],
    ['store', "import '../../test/support/fakes.js';", ['../../test/support/fakes.js']],
    ['source', "import { Pool } from 'undici';\nimport type { Source } from '../pipeline/ports.js';", []],
  ])('is seen to fail: %s may not %s', (room, source, wanted) => {
    expect(strays(room, source)).toEqual(wanted);
  });

  test('every room of src has a rule', () => {
    const rooms = readdirSync('src', { withFileTypes: true }).filter(entry => entry.isDirectory());
    expect(rooms.map(entry => entry.name).sort()).toEqual(Object.keys(rules).sort());
  });

  test('a command is loaded when it is called for: a start and a health check wait for no other', () => {
    const always = [...readFileSync('src/cli/program.ts', 'utf8').matchAll(/^import (?!type ).* from '\.\/(.+)';$/gm)];
    expect(always.map(match => match[1])).toEqual(['terminal.js']);
  });

  test('only main.ts reads the environment or ends the process', () => {
    const reading = files.filter(({ path }) => /\bprocess\.(env|exit|on|argv)\b/.test(readFileSync(path, 'utf8')));
    expect(reading.map(({ path }) => path)).toEqual([]);
  });
});
