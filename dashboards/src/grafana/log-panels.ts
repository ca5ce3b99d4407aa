import { LogsSortOrder } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as AnyPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Logs } from '@grafana/grafana-foundation-sdk/logs';
import { type Facts, framed, type PanelBuilder } from './panels.js';

/** Log records as expandable lines, oldest first. */
export const logs = (facts: Facts): PanelBuilder =>
  framed(new Logs(), facts)
    .showTime(true)
    .wrapLogMessage(true)
    .enableLogDetails(true)
    .sortOrder(LogsSortOrder.Ascending);

/** One trace from Tempo. */
export const trace = (facts: Facts): PanelBuilder => framed(new AnyPanel(), facts).type('traces').options({});
