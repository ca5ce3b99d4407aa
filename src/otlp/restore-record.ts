import type { HrTime, SeverityNumber, SpanContext } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Nanos } from '../model/time.js';
import { type Attributes, sendable } from './attribute.js';
import { hrTime } from './hr-time.js';

export type Severity = Readonly<{ number: SeverityNumber; text: string }>;

/** The attributes of a record, in their order, each in one of the parts. `shared` is one object for all records of a session. */
export type AttributeParts = Readonly<{ before: Attributes; shared: Attributes; after: Attributes }>;

/** What a record is made of. */
type Parts = Readonly<{
  origin: Readonly<{ resource: Resource; scope: InstrumentationScope }>;
  eventName: string;
  severity: Severity;
  /** Undefined when the server's ids are no GUIDs: then the record stands alone. */
  context: SpanContext | undefined;
  times: Readonly<{ bears: Nanos; observedAt: Nanos }>;
  body: string;
  attributes: AttributeParts;
}>;

/** A log record as the SDK knows it, which also tells what part of its attributes it shares with others. */
export class RestoreRecord implements ReadableLogRecord {
  readonly hrTime: HrTime;
  readonly hrTimeObserved: HrTime;
  readonly severityNumber: SeverityNumber;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: string;
  declare readonly spanContext?: SpanContext;
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly droppedAttributesCount = 0;
  readonly parts: AttributeParts;

  constructor({ origin, eventName, severity, context, times, body, attributes }: Parts) {
    this.hrTime = hrTime(times.bears);
    this.hrTimeObserved = hrTime(times.observedAt);
    this.severityNumber = severity.number;
    this.severityText = severity.text;
    this.eventName = eventName;
    this.body = sendable(body);
    if (context !== undefined) this.spanContext = context;
    this.resource = origin.resource;
    this.instrumentationScope = origin.scope;
    this.parts = attributes;
  }

  get attributes(): Attributes {
    const { before, shared, after } = this.parts;
    return { ...before, ...shared, ...after };
  }
}
