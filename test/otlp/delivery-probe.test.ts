import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { createDelivery } from '../../src/otlp/bisecting-delivery.js';

const never = new AbortController().signal;
const records = ['a', 'b', 'c'].map(item => ({ session: 's', event: item, item }));
/** A receiver that a test takes down; what it was sent, one text for each request. */
const fragile = () => {
  const sent: string[] = [];
  const state = { up: false, refused: 0 };
  const delivery = createDelivery<string>({
    export: async items => {
      sent.push(items.join(''));
      if (!state.up) throw new ExporterError('network', 'Could not send');
      return { refused: state.refused };
    },
  });
  return { ...delivery, sent, state };
};

describe('a probe', () => {
  test('is the first record that was not taken, and nothing is sent twice', async () => {
    const { deliver, probe, sent, state } = fragile();
    await expect(deliver(records, never)).rejects.toMatchObject({ reason: 'network' });
    await expect(probe(never)).rejects.toMatchObject({ reason: 'network' });
    state.up = true;
    await probe(never);
    await expect(deliver(records, never)).resolves.toEqual({ outcome: 'retried', dropped: [], deadLetters: [] });
    await deliver(records, never);
    expect(sent).toEqual(['abc', 'a', 'a', 'bc', 'abc']);
  });

  test('counts when the receiver dropped it, and is all there is to send', async () => {
    const { deliver, probe, sent, state } = fragile();
    await expect(deliver(records.slice(0, 1), never)).rejects.toMatchObject({ reason: 'network' });
    Object.assign(state, { up: true, refused: 1 });
    await probe(never);
    await expect(deliver(records.slice(0, 1), never)).resolves.toMatchObject({ dropped: [{ dropped: 1, sent: 1 }] });
    expect(sent).toEqual(['a', 'a']);
  });

  test('sends nothing before a delivery has failed', async () => {
    const { probe, sent } = fragile();
    await probe(never);
    expect(sent).toEqual([]);
  });
});
