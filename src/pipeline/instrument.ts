import type { ExporterError } from '../kernel/errors.js';
import type { SinkName } from './ports.js';

/** Runs a poll or a delivery inside a span. `failureOf` reads from its result whether it failed. */
export type Instrument = <T>(
  what: 'discovery' | SinkName,
  work: () => Promise<T>,
  failureOf: (result: T) => ExporterError | undefined,
) => Promise<T>;

export const noopInstrument: Instrument = async (_, work) => work();
