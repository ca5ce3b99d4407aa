import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

type SourceText = Readonly<{ path: string; text: string }>;

const textsIn = (folder: string): readonly SourceText[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => ({ path: `${folder}/${path}`, text: readFileSync(`${folder}/${path}`, 'utf8') }));

const files = textsIn('src');
const users = ['src', 'test', 'bench', 'docs/src', 'dashboards/src', 'packaging'].flatMap(textsIn);

/** A declaration of a type anywhere in a file, but not a `type` in a list of imports. */
const typeDeclaration = /^ *(?:export )?(?:(?:interface|class) (\w+)|type (\w+)(?:<.*>)? =)/gm;

test('a type name is declared in one file only, except for local Options and Deps', () => {
  const declared = files.flatMap(({ path, text }) => {
    const names = [...text.matchAll(typeDeclaration)].map(([, one, other = '']) => one ?? other);
    return names.map(name => ({ name, path }));
  });
  const twice = [...Map.groupBy(declared, ({ name }) => name)].filter(([, places]) => places.length > 1);
  const isAllowed = (name: string, places: typeof declared): boolean =>
    name === 'Options' || name === 'Deps' || new Set(places.map(({ path }) => path)).size === 1;
  expect(twice.filter(([name, places]) => !isAllowed(name, places)).map(([name]) => name)).toEqual([]);
});

/** The names that a text imports from modules of this repository, as `path name`; `path *` for all of them. */
function importsIn({ path, text }: SourceText): readonly string[] {
  const importing =
    /(?:import|export)\s+(?:type\s+)?(\{[^}]*\}|\*)[^;']*?from '(\.[^']+)'|import\('(\.[^']+)'\)\)\.(\w+)/g;
  return [...text.matchAll(importing)].flatMap(([, list = '', from, loaded = '', member = list]) => {
    const target = posix.join(posix.dirname(path), from ?? loaded).replace(/\.js$/, '.ts');
    const names = member.replace(/^\{|\}$/g, '').split(',');
    return names.map(name => `${target} ${name.trim().replace(/^type | as .*$/g, '')}`);
  });
}

test('an export is used outside its file', () => {
  const used = new Set(users.flatMap(importsIn));
  const unused = files.flatMap(({ path, text }) => {
    const exporting = /^export (?:async )?(?:function\*?|const|class|interface|type) (\w+)/gm;
    const names = [...text.matchAll(exporting)].map(match => `${path} ${match[1] ?? ''}`);
    return used.has(`${path} *`) ? [] : names.filter(name => !used.has(name));
  });
  expect(unused).toEqual([]);
});

test('a log message is one literal, so that it can be found in the source', () => {
  const composed = /\b(?:(?:log|warn|notice)|log\.(?:debug|info|warn|error))\(\s*`|\b(?:failed|recovered): `/;
  expect(files.filter(({ text }) => composed.test(text)).map(({ path }) => path)).toEqual([]);
});
