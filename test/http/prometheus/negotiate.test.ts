import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TelemetryError } from '../../../src/errors.ts';
import { type Format, formatFor } from '../../../src/http/prometheus/negotiate.ts';

const ALL: readonly Format[] = ['json', 'prometheus', 'openmetrics'];
const chosen = (accept: string | undefined): Format => formatFor(ALL, null, accept);

/** What these programs send, to the letter. */
const SENT: readonly [who: string, accept: string, format: Format][] = [
  [
    'Prometheus 2.5 to 2.40',
    'application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    // Our OpenMetrics is 1.0.0, which it does not ask for.
    'prometheus',
  ],
  [
    'Prometheus 2.41 to 2.55',
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  [
    'Prometheus 2 with native histograms',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  [
    'Prometheus 3.0',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
    'openmetrics',
  ],
  [
    'Prometheus 3.3',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  [
    'Prometheus 3.11',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  [
    'Prometheus 3 with native histograms',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
    'openmetrics',
  ],
  [
    'Prometheus 3 that is to read text only',
    'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3',
    'prometheus',
  ],
  ['vmagent', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', 'prometheus'],
  [
    'Datadog',
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['Datadog, its older check', 'text/plain', 'prometheus'],
  ['Netdata', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', 'prometheus'],
  [
    'Telegraf',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
    'prometheus',
  ],
  [
    'Telegraf before',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3,application/json;schema="prometheus/telemetry";version=0.0.2;q=0.2,*/*;q=0.1',
    'prometheus',
  ],
  ['curl and fetch', '*/*', 'json'],
  ['axios', 'application/json, text/plain, */*', 'json'],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'json'],
  ['Go and Python without a word', '', 'json'],
];

for (const [who, accept, format] of SENT) test(`${who} is given ${format}`, () => assert.equal(chosen(accept), format));

test('without a header, with none that can be served, and on every tie, it is JSON', () => {
  for (const accept of [
    undefined,
    'image/png',
    'application/json;q=0',
    'text/plain;q=0.5, application/json;q=0.5',
    'text/plain, application/openmetrics-text, application/json',
    'text/plain;version=9, application/json;q=0.1',
    'text/plain;q=2, application/json;q=0.1',
    'text/plain;q=, application/json;q=0.1',
    ',;,=;q',
  ]) {
    assert.equal(chosen(accept), 'json', String(accept));
  }
});

test('a scraper that names only versions we do not have is given the oldest text, and no JSON', () => {
  for (const accept of [
    'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,*/*;q=0.2',
    'application/openmetrics-text;version=0.0.1',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,*/*;q=0.1',
  ]) {
    assert.equal(chosen(accept), 'prometheus', accept);
  }
  assert.equal(chosen('text/plain;version=9;q=0,*/*;q=0.2'), 'json');
});

test('the range that fits best decides, not the one that says most', () => {
  assert.equal(chosen('*/*;q=1, application/json;q=0.2, text/plain;q=0.5'), 'openmetrics');
  assert.equal(chosen('text/*, application/json;q=0.9'), 'prometheus');
  assert.equal(chosen('application/*;q=0.4, application/json;q=0.1, text/plain;q=0.3'), 'openmetrics');
  assert.equal(chosen('TEXT/PLAIN ; Version="0.0.4" ; Q=0.9 , */*;q=0.1'), 'prometheus');
});

test('?format= says it over any header, and what it may be', () => {
  for (const format of ALL) assert.equal(formatFor(ALL, format, 'text/plain'), format);
  assert.equal(formatFor(ALL, '', 'text/plain'), 'prometheus', 'an empty one is as good as none');
  const wrong = (): Format => formatFor(['prometheus', 'openmetrics'], 'json', undefined);
  assert.throws(wrong, (error) => {
    assert.ok(error instanceof TelemetryError);
    assert.equal(error.code, 'invalid');
    assert.match(JSON.stringify(error.issues), /"query","format".*'prometheus', 'openmetrics'/);
    return true;
  });
});

test('where only text is offered, the older format is the default', () => {
  const text: readonly Format[] = ['prometheus', 'openmetrics'];
  assert.equal(formatFor(text, null, '*/*'), 'prometheus');
  assert.equal(formatFor(text, null, 'application/json'), 'prometheus');
  assert.equal(formatFor(text, null, 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'), 'openmetrics');
});
