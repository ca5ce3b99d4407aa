import { expect, test } from '@jest/globals';
import { boards, panelsOf, victoriaLogsBoards } from './boards.js';

const panel = (title: RegExp, built: typeof boards): string =>
  JSON.stringify(built.flatMap(panelsOf).find(each => title.test(each.title))?.transformations);

test.each([
  [/^Items: what, whose/, ['Owner', 'Relation', 'Owner id']],
  [/^Latest exports/, ['Owner', 'Relation']],
])('the table %s says whose data it was, and whether it was the own data of who did it', (title, columns) => {
  for (const built of [boards, victoriaLogsBoards])
    for (const column of columns) expect(panel(title, built)).toContain(`:"${column}"`);
});
