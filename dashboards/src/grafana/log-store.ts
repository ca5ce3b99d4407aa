import type { LogQuery } from './log-query.js';
import type { Query } from './queries.js';
import type { SourceType } from './variables.js';

/** A log store that the dashboards are built for, with the store of traces that users have next to it. */
export interface LogStore {
  readonly name: string;
  readonly source: SourceType;
  /** The folder of the dashboards for it. */
  readonly folder: string;
  readonly traces: Readonly<{ name: string; source: SourceType; byId: (id: string) => Query }>;
  /** What the store calls an attribute. */
  readonly field: (attribute: string) => string;
  readonly query: (asked: LogQuery) => Query;
}
