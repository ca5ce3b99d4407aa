import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/parse.js';
import { parseYaml } from '../../src/config/yaml.js';

const three = 3_000_000;
const filled = (piece: string): string => piece.repeat(Math.floor(three / piece.length));

describe('a configuration of 3 MB', () => {
  test.each([
    ['arrays within arrays', '[', 'it is nested too deeply'],
    ['mappings within mappings', '{a: ', 'it is nested too deeply'],
    ['lists within lists on one line', '- ', 'it is nested too deeply'],
    ['complex keys', '? ', 'it is nested too deeply'],
    ['anchors', '&a ', 'it holds too many values'],
    ['tags', '!!a ', 'it holds too many values'],
    ['aliases', '*a ', 'it holds too many values'],
    ['lists next to lists', '[]', 'it holds too many values'],
    ['one key again and again', 'a: 1\n', 'it holds too many values'],
  ])('of %s is refused in one line', (_, piece, why) => {
    expect(() => parseYaml(filled(piece), 'Could not read "c"')).toThrow(`Could not read "c": ${why}`);
  });
});

test('a mapping of very many keys is refused, because each is compared with every other one', () => {
  const keys = Array.from({ length: 50_000 }, (_, n) => `k${String(n)}: 1`).join('\n');
  expect(() => parseYaml(keys, 'Could not read "c"')).toThrow(
    'Could not read "c": line 1, column 1: it is nested too deeply, or a mapping holds too many keys',
  );
});

test('a list of a thousand servers is read', () => {
  const servers = Array.from({ length: 1000 }, (_, n) => `- { name: s${String(n)}, url: "https://s", username: u }`);
  expect(parseYaml(servers.join('\n'), '')).toHaveLength(1000);
});

test('brackets within texts and comments nest nothing', () => {
  const text = `# ${'['.repeat(100)}\na: "${'{'.repeat(100)}"\nb: |\n  ${'- '.repeat(100)}\n`;
  expect(parseYaml(text, '')).toMatchObject({ a: '{'.repeat(100) });
});

test('a merge key, which YAML 1.2 does not have, is named', () => {
  const says = /\n- servers\[1\]\.<<: unknown key; known keys are name, /;
  expect(() => parseConfig({ file: 'servers: [&one { name: hq }, { <<: *one }]', env: {} })).toThrow(says);
});
