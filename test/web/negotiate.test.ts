import { describe, expect, test } from '@jest/globals';
import { formatOf } from '../../src/web/negotiate.js';

const prometheus2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
const protobufFirst =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

describe('the format of an answer', () => {
  test.each([
    ['none named', undefined, 'text'],
    ['an empty header', '', 'text'],
    ['curl', '*/*', 'text'],
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'text'],
    ['Prometheus 2', prometheus2, 'openmetrics'],
    ['Prometheus 3', prometheus3, 'openmetrics'],
    ['Prometheus with native histograms', protobufFirst, 'openmetrics'],
    ['only text', 'text/plain;version=0.0.4', 'text'],
    ['OpenMetrics without a version', 'application/openmetrics-text', 'openmetrics'],
    [
      'OpenMetrics with a charset, in quotes and capitals',
      'Application/OpenMetrics-Text; Version="1.0.0"; charset=utf-8',
      'openmetrics',
    ],
    ['only an old OpenMetrics', 'application/openmetrics-text;version=0.0.1', 'text'],
    ['text liked better', 'application/openmetrics-text;version=1.0.0;q=0.4, text/plain;q=0.5', 'text'],
    ['both liked as much, OpenMetrics first', 'application/openmetrics-text, text/plain', 'openmetrics'],
    ['both liked as much, text first', 'text/plain, application/openmetrics-text', 'text'],
    ['OpenMetrics refused', 'application/openmetrics-text;q=0, */*', 'text'],
    ['a quality that is none', 'application/openmetrics-text;q=x, text/plain;q=0.1', 'text'],
    ['nothing we write', 'image/png', 'text'],
    ['nonsense', ';;;,,=,q=', 'text'],
  ])('for %s', (_, accept, format) => {
    expect(formatOf(accept)).toBe(format);
  });
});
