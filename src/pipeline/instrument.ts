import type { ExporterError } from '../kernel/errors.js';
import type { SinkName } from './ports.js';

/** Runs a turn with something around it, such as a span. `failureOf` reads from its result how it went. */
export type Instrument = <T>(
  turn: 'discovery' | SinkName,
  work: () => Promise<T>,
  failureOf: (result: T) => ExporterError | undefined,
) => Promise<T>;

/** Nothing around it. */
export const noopInstrument: Instrument = async (_, work) => work();
