import type { PersonalClass } from '../model/personal-data.js';
import { toSeconds } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { type Attribute, freeText } from './attribute.js';
import { ofSession } from './session-attributes.js';

/** A path ends with the item, and may begin with the folder of a person. */
const place: readonly PersonalClass[] = ['path', 'item', 'person'];

/** What is told of the event itself. */
export const eventAttributes: readonly Attribute<TakenEvent>[] = [
  {
    name: 'veeam.restore.event.type',
    type: 'string',
    help: 'What was done, in the words of the API',
    example: 'Save',
    of: ({ event }) => event.type.raw,
  },
  {
    name: 'veeam.restore.event.status',
    type: 'string',
    help: 'How it ended, in the words of the API',
    example: 'Success',
    of: ({ event }) => event.status.raw,
  },
  {
    name: 'veeam.restore.event.order',
    type: 'int',
    help: 'Number of the event within its session, from 0',
    example: 1,
    of: ({ event }) => event.order,
  },
  {
    name: 'veeam.restore.event.duration',
    type: 'double',
    help: 'Seconds it took',
    example: 0.0446928,
    of: ({ event }) => (event.duration === undefined ? undefined : toSeconds(event.duration)),
  },
  {
    name: 'veeam.restore.item.name',
    type: 'string',
    help: 'Name of the item',
    example: 'Image.jpg',
    holds: ['item'],
    of: ({ event }) => event.item.name,
  },
  {
    name: 'veeam.restore.item.type',
    type: 'string',
    help: 'Kind of the item',
    example: 'Item',
    of: ({ event }) => event.item.type,
  },
  {
    name: 'veeam.restore.item.size',
    type: 'int',
    help: 'Size of the item in bytes',
    example: 2048,
    of: ({ event }) => event.item.sizeBytes,
  },
  {
    name: 'veeam.restore.source',
    type: 'string',
    help: 'Where the item comes from, in the words of the server',
    example: '/personal/alice/Documents/Image.jpg',
    holds: place,
    of: ({ event }) => event.source,
  },
  {
    name: 'veeam.restore.target',
    type: 'string',
    help: 'Where the item went, in the words of the server',
    example: 'C:\\Temp',
    holds: place,
    of: ({ event }) => event.target,
  },
  {
    name: 'veeam.restore.reason',
    type: 'string',
    help: 'Why it went wrong, in the words of the server',
    example: 'Access denied',
    holds: freeText,
    of: ({ event }) => event.reason,
  },
];

/** What is told of a failure. */
export const failureAttributes: readonly Attribute<TakenEvent>[] = [
  {
    name: 'error.type',
    type: 'string',
    help: 'Class of the failure, only when there is one',
    example: 'restore_failed',
    of: ({ event }) => (event.status.label === 'Failed' ? 'restore_failed' : undefined),
  },
  {
    name: 'error.message',
    type: 'string',
    help: 'What the server says of the failure',
    example: 'Access denied',
    holds: freeText,
    of: ({ event }) => (event.status.label === 'Failed' ? failure(event) : undefined),
  },
];

/** What is told of one event. */
export const itemAttributes: readonly Attribute<TakenEvent>[] = [
  ...eventAttributes,
  ...ofSession,
  ...failureAttributes,
];

const failure = ({ reason, message }: TakenEvent['event']): string => (reason === '' ? message : reason);
