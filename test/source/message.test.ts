import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { systemClock } from '../../src/kernel/clock.js';
import { parseItemMessage } from '../../src/source/message.js';

/** The expression that was checked against every captured message (`vb365-rest.md` 6.4). */
const pattern =
  /^Item (?<name>.*) was (?<verb>[a-z]+) (?:successfully|with (?<sev>warnings?|errors?): (?<reason>.*?)) ?\(type: (?<type>[^;]*); source: (?<source>.*?); target: (?<target>.*?)\)$/s;

describe('the message of an item', () => {
  test.each([
    [
      'Item Site Pages was opened successfully (type: List; source: /sites/commonName/SitePages; target: )',
      { name: 'Site Pages', type: 'List', source: '/sites/commonName/SitePages', target: '', reason: '' },
    ],
    [
      'Item Server changed to Error (previous state: Error)  was opened successfully (type: IPM.Note; source: A\\Inbox; target: A\\Inbox)',
      {
        name: 'Server changed to Error (previous state: Error) ',
        type: 'IPM.Note',
        source: 'A\\Inbox',
        target: 'A\\Inbox',
        reason: '',
      },
    ],
    [
      "Item You've joined was opened with warning: Object was not found. It could be deleted. (type: IPM.Note; source: Jon Snow\\Inbox; target: Jon Snow\\Inbox)",
      {
        name: "You've joined",
        type: 'IPM.Note',
        source: 'Jon Snow\\Inbox',
        target: 'Jon Snow\\Inbox',
        reason: 'Object was not found. It could be deleted.',
      },
    ],
    [
      'Item What was said: it was fun was saved with errors: No (type unknown) here (type: Item; source: a; b; target: c; target: d)',
      {
        name: 'What was said: it was fun',
        type: 'Item',
        source: 'a; b',
        target: 'c; target: d',
        reason: 'No (type unknown) here',
      },
    ],
    [
      'Item two\nlines “ü” was restored successfully(type: ; source: ; target: )',
      { name: 'two\nlines “ü”', type: '', source: '', target: '', reason: '' },
    ],
    [
      'Item  was sent successfully (type: a; source: b; target: c)',
      { name: '', type: 'a', source: 'b', target: 'c', reason: '' },
    ],
  ])('%j is understood', (message, parsed) => {
    expect(parseItemMessage(message)).toEqual(parsed);
  });

  test.each([
    '',
    'Restore session started',
    'Item a was opened',
    'Item was opened successfully (type: a; source: b; target: c)',
    'Item a was opened successfully (type: a; source: b; target: c',
    'Item a was opened successfully (type: a; target: c; source: b)',
    'Item a was opened successfully (type: a; source: b; target:)',
    'Item a was opened successfully  (type: a; source: b; target: c)',
    'Item a was Opened successfully (type: a; source: b; target: c)',
    'Failed to restore item a (type: a; source: b; target: c)',
  ])('%j is worded otherwise', message => {
    expect(parseItemMessage(message)).toBeUndefined();
  });

  test('is understood as the expression that fits all captured ones understands it', () => {
    const parts =
      'Item | was| opened| successfully| with warning: | with errors: |(type: |; source: |; target: |;|)| |a|(' +
      '| was opened successfully (type: | was sent with error: ';
    const word = fc.constantFrom(...parts.split('|'));
    const framed = fc
      .array(word, { maxLength: 14 })
      .map(words => `Item a was opened successfully (type: b${words.join('')}; source: c; target: d)`);
    const loose = fc.array(word, { maxLength: 14 }).map(words => `Item ${words.join('')}; source: c; target: d)`);
    fc.assert(
      fc.property(fc.oneof(framed, loose), message => {
        const groups = pattern.exec(message)?.groups;
        const { name, type, source, target, reason = '' } = groups ?? {};
        expect(parseItemMessage(message)).toEqual(groups && { name, type, source, target, reason });
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    [' was a successfully (type: ', '; source: ; target: )'],
    [' was a with error: ', ')'],
    [' was a with error: (type: ', ')'],
    ['(type: ; source: ', ' was a successfully )'],
    ['(type: ; source: ; target: ', ' was a with error: )'],
    ['(type: ', '; source: ; target: )'],
    ['; target: ', ')'],
    [' was', ' a)'],
    ['a', ')'],
    [' ', ')'],
  ])('of four megabytes of %j is read or refused at once', (piece, end) => {
    const message = `Item x was ${piece.repeat(Math.ceil(4e6 / piece.length))}${end}`;
    const begun = systemClock.monotonic();
    parseItemMessage(message);
    expect(systemClock.monotonic() - begun).toBeLessThan(3000);
  });
});
