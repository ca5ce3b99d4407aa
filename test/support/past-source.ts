import { systemClock } from '../../src/kernel/clock.js';
import { Secret } from '../../src/kernel/secret.js';
import { type PastSource, pastSource } from '../../src/source/past.js';

/** The past of a simulated server. Close it. */
export const simulatedPast = (url: string, over: Partial<Parameters<typeof pastSource>[0]> = {}): PastSource =>
  pastSource({
    concurrency: 1,
    baseUrl: new URL(url),
    apiVersion: 'v8',
    credentials: { kind: 'password', username: 'simulator', secret: async () => new Secret('simulator') },
    clock: systemClock,
    random: () => 0,
    ...over,
  });
