import { describe, expect, test } from '@jest/globals';
import { Scrapers, type Scraper } from '../../src/metrics/scrapers.js';
import { drivenClock } from '../support/simulator.js';

const prometheus = (n = 1): Scraper => ({ key: `10.0.0.${String(n)} Prometheus/3.5.0`, scrapes: true });
const curl: Scraper = { key: '10.0.0.9 curl/8.5.0', scrapes: false };
const minutes = 60_000;

const create = () => {
  const clock = drivenClock();
  return { clock, scrapers: new Scrapers(clock) };
};

type Served = readonly [scraper: Scraper, page: number];
const serve = ({ scrapers }: ReturnType<typeof create>, ...pages: readonly Served[]): number => {
  for (const [scraper, page] of pages) scrapers.served(scraper, page);
  return scrapers.seenByAll();
};
const [one, two] = [prometheus(1), prometheus(2)];

describe('what everybody saw', () => {
  test('is nothing while nobody was served', () => {
    expect(create().scrapers.seenByAll()).toBe(0);
  });

  test('is nothing before one has come back: the other of a pair may not have been here yet', () => {
    const rig = create();
    expect(serve(rig, [one, 1])).toBe(0);
    expect(serve(rig, [two, 2])).toBe(0);
    expect(serve(rig, [one, 3])).toBe(2);
  });

  test('is the page of the only scraper', () => {
    expect(serve(create(), [one, 2], [one, 3])).toBe(3);
  });

  test('is the page of the scraper that lies furthest back', () => {
    expect(serve(create(), [one, 1], [two, 2], [one, 7])).toBe(2);
  });

  test('does not go back when an older page arrives later', () => {
    expect(serve(create(), [one, 5], [one, 4])).toBe(5);
  });

  test('leaves out who was not served for 5 minutes, and no sooner', () => {
    const rig = create();
    serve(rig, [one, 1], [one, 2]);
    rig.clock.advance(5 * minutes);
    expect(serve(rig, [two, 3])).toBe(2);
    rig.clock.advance(1);
    expect(rig.scrapers.seenByAll()).toBe(3);
  });

  test('stays what it was when nobody is left', () => {
    const rig = create();
    serve(rig, [one, 3], [one, 4]);
    rig.clock.advance(60 * minutes);
    expect(rig.scrapers.seenByAll()).toBe(4);
  });

  test('of one that scrapes every 10 minutes is its page, once it has had its time', () => {
    const rig = create();
    expect(serve(rig, [one, 1])).toBe(0);
    rig.clock.advance(5 * minutes + 1);
    expect(rig.scrapers.seenByAll()).toBe(1);
    rig.clock.advance(5 * minutes);
    expect(serve(rig, [one, 2])).toBe(2);
  });

  test('does not count who only looks, while somebody scrapes', () => {
    expect(serve(create(), [one, 1], [one, 2], [curl, 8], [curl, 9])).toBe(2);
  });

  test('counts who only looks when nobody scrapes, until somebody does', () => {
    const rig = create();
    expect(serve(rig, [curl, 1], [curl, 2])).toBe(2);
    expect(serve(rig, [one, 3])).toBe(0);
    expect(serve(rig, [one, 4])).toBe(4);
    rig.clock.advance(5 * minutes + 1);
    expect(serve(rig, [curl, 8])).toBe(8);
  });

  test('waits for at most 100 at a time: a newcomer beyond pushes nobody out', () => {
    const rig = create();
    for (let n = 0; n < 100; n += 1) serve(rig, [prometheus(n), 1]);
    for (let n = 100; n < 1000; n += 1) serve(rig, [prometheus(n), 2]);
    for (let n = 1; n < 100; n += 1) serve(rig, [prometheus(n), 3]);
    expect(rig.scrapers.seenByAll()).toBe(1);
    expect(serve(rig, [prometheus(0), 3])).toBe(3);
    rig.clock.advance(5 * minutes + 1);
    expect(serve(rig, [prometheus(1000), 4])).toBe(4);
  });
});
