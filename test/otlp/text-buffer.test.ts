import { expect, test } from '@jest/globals';
import { createTextBuffer } from '../../src/otlp/text-buffer.js';

const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('keeps what was added while it grows, in any script', () => {
  const buffer = createTextBuffer(4);
  const texts = ['a', 'é', '日本', '😀', 'x'.repeat(100)];
  for (const text of texts) buffer.add(text);
  expect(read(buffer.copy())).toBe(texts.join(''));
});

test('a copy stays as it is when the buffer is used again', () => {
  const buffer = createTextBuffer();
  buffer.add('first');
  const copy = buffer.copy();
  buffer.clear();
  buffer.add('second');
  expect([read(copy), read(buffer.copy())]).toEqual(['first', 'second']);
});
