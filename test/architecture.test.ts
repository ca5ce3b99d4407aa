import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { pureFiles, pureImports } from './support/pure-files.js';

/** A file under `src/` and the module specifiers that it imports, type-only imports included. */
type SourceFile = Readonly<{ path: string; specifiers: readonly string[] }>;

/**
 * The rooms of `src/` from the ground up. A file imports from its own room and from rooms below it, never sideways or up.
 * `lines` is the budget of a room (ADR 78), `rooms` lists the rooms below that it may use, `packages` its npm and Node
 * modules.
 */
const layers: readonly (readonly [
  room: string,
  rule: Readonly<{ lines: number; rooms: readonly string[]; packages: readonly string[] }>,
])[] = [
  [
    'kernel',
    {
      lines: 650,
      rooms: [],
      packages: ['node:crypto', 'node:fs', 'node:stream/consumers', 'node:timers/promises', 'node:util', 'pino'],
    },
  ],
  ['model', { lines: 450, rooms: ['kernel'], packages: ['@opentelemetry/api'] }],
  ['config', { lines: 1750, rooms: ['kernel', 'model'], packages: ['node:net', 'node:path', 'yaml', 'zod'] }],
  ['pipeline', { lines: 2330, rooms: ['kernel', 'model'], packages: [] }],
  ['discovery', { lines: 1320, rooms: ['kernel', 'model', 'pipeline'], packages: [] }],
  [
    'source',
    {
      lines: 2980,
      rooms: ['kernel', 'model', 'config', 'pipeline'],
      packages: ['node:crypto', 'node:tls', 'undici', 'zod'],
    },
  ],
  [
    'store',
    {
      lines: 2200,
      rooms: ['kernel', 'model', 'config', 'pipeline'],
      packages: ['node:crypto', 'node:fs', 'node:os', 'node:path', 'node:sqlite', 'node:url', 'pg'],
    },
  ],
  ['metrics', { lines: 1720, rooms: ['kernel', 'model', 'config', 'pipeline'], packages: ['prom-client'] }],
  [
    'otlp',
    {
      lines: 2100,
      rooms: ['kernel', 'model', 'config', 'pipeline', 'metrics'],
      packages: [
        '@opentelemetry/api',
        '@opentelemetry/core',
        '@opentelemetry/exporter-logs-otlp-http',
        '@opentelemetry/exporter-trace-otlp-http',
        '@opentelemetry/otlp-transformer',
        '@opentelemetry/resources',
        '@opentelemetry/sdk-logs',
        '@opentelemetry/sdk-node',
        '@opentelemetry/sdk-trace',
        '@opentelemetry/semantic-conventions',
        'node:http',
        'node:https',
        'node:tls',
        'node:util',
        'node:zlib',
        'undici',
      ],
    },
  ],
  [
    'history',
    {
      lines: 1450,
      rooms: ['kernel', 'model', 'pipeline', 'metrics', 'otlp'],
      packages: ['@opentelemetry/sdk-logs', 'node:crypto'],
    },
  ],
  [
    'web',
    {
      lines: 850,
      rooms: ['kernel', 'model', 'config'],
      packages: [
        'bcryptjs',
        'express',
        'node:crypto',
        'node:http',
        'node:https',
        'node:net',
        'node:tls',
        'node:util',
        'node:worker_threads',
        'node:zlib',
      ],
    },
  ],
  [
    'server',
    {
      lines: 1800,
      rooms: ['kernel', 'model', 'config', 'pipeline', 'discovery', 'source', 'store', 'metrics', 'otlp', 'web'],
      packages: [],
    },
  ],
  [
    'simulator',
    { lines: 2600, rooms: ['kernel', 'model'], packages: ['express', 'node:http', 'node:https', 'node:net'] },
  ],
  [
    'app',
    {
      lines: 300,
      rooms: ['kernel', 'model', 'config', 'pipeline', 'source', 'store', 'metrics', 'otlp', 'web', 'server'],
      packages: ['node:os', 'node:path'],
    },
  ],
  [
    'cli',
    {
      lines: 2580,
      rooms: [
        'kernel',
        'model',
        'config',
        'source',
        'store',
        'metrics',
        'otlp',
        'history',
        'web',
        'server',
        'simulator',
        'app',
      ],
      packages: [
        'commander',
        'node:crypto',
        'node:dns/promises',
        'node:stream',
        'node:fs',
        'node:fs/promises',
        'node:http',
        'node:https',
        'node:net',
        'node:os',
        'node:path',
        'node:stream/consumers',
      ],
    },
  ],
  ['main', { lines: 100, rooms: ['cli'], packages: ['node:events', 'node:fs', 'node:perf_hooks', 'node:v8'] }],
];

/** Every module specifier of a source text: `from '...'`, `import '...'` and `import('...')`. */
function specifiersIn(text: string): readonly string[] {
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1] ?? '');
}

const sourceFile = (path: string, text: string): SourceFile => ({ path, specifiers: specifiersIn(text) });

const files: readonly SourceFile[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts'))
  .map(path => sourceFile(`src/${path}`, readFileSync(`src/${path}`, 'utf8')));

/** `app` for `src/app.ts`, `web` for `src/web/web.ts`. */
const roomOf = (path: string): string => (path.split('/')[1] ?? '').replace(/\.ts$/, '');

/** The path of a relative import, a package's name otherwise. */
const resolved = ({ path }: SourceFile, specifier: string): string =>
  specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts') : specifier;

/** What a file imports against the table. */
function forbidden(file: SourceFile): readonly string[] {
  const room = roomOf(file.path);
  const rule = new Map(layers).get(room) ?? { lines: 0, rooms: [], packages: [] };
  return file.specifiers.filter(specifier => {
    if (!specifier.startsWith('.')) return !rule.packages.includes(specifier);
    const target = resolved(file, specifier);
    const allowed = roomOf(target) === room || rule.rooms.includes(roomOf(target));
    return !target.startsWith('src/') || !allowed;
  });
}

/** Files that import one another in a circle, each circle once, as a path that comes back to where it began. */
function circles(all: readonly SourceFile[]): readonly string[] {
  const imports = new Map(all.map(file => [file.path, file.specifiers.map(specifier => resolved(file, specifier))]));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path].join(' -> '));
    if (start >= 0 || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of all) visit(path, []);
  return found;
}

/** What a pure file imports that is not pure. */
const impure = (file: SourceFile): readonly string[] =>
  file.specifiers
    .map(specifier => resolved(file, specifier))
    .filter(target => !pureImports.test(target) && !pureFiles.includes(target));

describe('the import table', () => {
  test.each(files)('$path keeps to its room', file => {
    expect(forbidden(file)).toEqual([]);
  });

  test.each([
    ['src/model/x.ts', "import { request } from 'undici';", ['undici']],
    ['src/pipeline/x.ts', "import { decodePage } from '../source/page.js';", ['../source/page.js']],
    ['src/web/x.ts', "import type { App } from '../app.js';", ['../app.js']],
    ['src/main.ts', "import { startApp } from './app.js';", ['./app.js']],
    ['src/app.ts', "import { runCli } from './cli/program.js';", ['./cli/program.js']],
    ['src/stray.ts', "import { seconds } from './model/time.js';", ['./model/time.js']],
    ['src/kernel/x.ts', "const { connect } = await import('node:net');", ['node:net']],
    ['src/store/x.ts', "import '../../test/support/fakes.js';", ['../../test/support/fakes.js']],
    ['src/source/x.ts', "import { Pool } from 'undici';\nimport type { Source } from '../pipeline/ports.js';", []],
  ])('catches a forbidden import of %s', (path, text, expected) => {
    expect(forbidden(sourceFile(path, text))).toEqual(expected);
  });

  test('no rule lets a room import one above it', () => {
    const order = layers.map(([room]) => room);
    const upward = layers.flatMap(([room, { rooms }], floor) =>
      rooms.filter(other => order.indexOf(other) >= floor).map(other => `${room} -> ${other}`),
    );
    expect(upward).toEqual([]);
  });

  test('docs/ARCHITECTURE.md lists the rooms in this order', () => {
    const listed = readFileSync('docs/ARCHITECTURE.md', 'utf8').matchAll(/^\| `(src\/[\w.]+)\/?` /gm);
    expect([...listed].map(([, path = '']) => roomOf(path))).toEqual(layers.map(([room]) => room));
  });

  test('every room and root file has a rule', () => {
    expect([...new Set(files.map(({ path }) => roomOf(path)))].sort()).toEqual(layers.map(([room]) => room).sort());
  });

  test.each(layers)('%s keeps to its budget of lines', (room, { lines }) => {
    const own = files.filter(({ path }) => roomOf(path) === room).map(({ path }) => readFileSync(path, 'utf8'));
    expect(own.join('').split('\n').length - 1).toBeLessThanOrEqual(lines);
  });

  test('main.ts and app.ts are the only files at the root', () => {
    expect(files.map(({ path }) => path).filter(path => path.split('/').length === 2)).toEqual([
      'src/app.ts',
      'src/main.ts',
    ]);
  });
});

describe('import circles', () => {
  test('there are none', () => {
    expect(circles(files)).toEqual([]);
  });

  test('a circle of type-only imports is caught', () => {
    const one = sourceFile('src/web/a.ts', "import type { B } from './b.js';");
    const other = sourceFile('src/web/b.ts', "import type { A } from './a.js';");
    expect(circles([one, other])).toEqual(['src/web/a.ts -> src/web/b.ts -> src/web/a.ts']);
  });
});

describe('purity', () => {
  test.each(pureFiles)('%s does no I/O', path => {
    expect(files.filter(file => file.path === path).flatMap(impure)).toEqual([]);
    expect(files.some(file => file.path === path)).toBe(true);
  });

  test('an import of I/O is caught', () => {
    const file = sourceFile('src/metrics/deltas.ts', "import type { Clock } from '../kernel/clock.js';");
    expect(impure(file)).toEqual(['src/kernel/clock.ts']);
  });
});

test('a command is loaded when it is called: a start and a health check load no other', () => {
  const always = [...readFileSync('src/cli/program.ts', 'utf8').matchAll(/^import (?!type ).* from '\.\/(.+)';$/gm)];
  expect(always.map(match => match[1])).toEqual(['option-values.js', 'terminal.js']);
});

test('only main.ts reads the environment or ends the process', () => {
  const reading = files.filter(({ path }) => /\bprocess\.(env|exit|on|argv)\b/.test(readFileSync(path, 'utf8')));
  expect(reading.map(({ path }) => path)).toEqual(['src/main.ts']);
});
