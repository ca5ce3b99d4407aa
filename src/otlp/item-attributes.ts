import type { PersonalClass } from '../model/personal-data.js';
import { toSeconds } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { type Attribute, freeText } from './attribute.js';
import { ofSession } from './session-attributes.js';

/** A path ends with the item and may contain a person's folder. */
const place: readonly PersonalClass[] = ['path', 'item', 'person'];

/** Attributes of one event and of its session. */
export const itemAttributes: readonly Attribute<TakenEvent>[] = [
  {
    name: 'veeam.restore.event.type',
    help: 'Operation, as the API names it',
    example: 'Save',
    of: ({ event }) => event.type.raw,
  },
  {
    name: 'veeam.restore.event.status',
    help: 'Final status, as the API names it',
    example: 'Success',
    of: ({ event }) => event.status.raw,
  },
  {
    name: 'veeam.restore.event.order',
    help: 'Number of the event within its session, starting at 0',
    example: 1,
    of: ({ event }) => event.order,
  },
  {
    name: 'veeam.restore.event.duration',
    help: 'Duration in seconds',
    example: 0.0446928,
    of: ({ event }) => (event.duration === undefined ? undefined : toSeconds(event.duration)),
  },
  {
    name: 'veeam.restore.item.name',
    help: 'Name of the item',
    example: 'Image.jpg',
    holds: ['item'],
    of: ({ event }) => event.item.name,
  },
  {
    name: 'veeam.restore.item.type',
    help: 'Type of the item',
    example: 'Item',
    of: ({ event }) => event.item.type,
  },
  {
    name: 'veeam.restore.item.size',
    help: 'Size of the item in bytes',
    example: 2048,
    of: ({ event }) => event.item.sizeBytes,
  },
  {
    name: 'veeam.restore.source',
    help: 'Where the item was restored from, as the server writes it',
    example: '/personal/alice/Documents/Image.jpg',
    holds: place,
    of: ({ event }) => event.source,
  },
  {
    name: 'veeam.restore.target',
    help: 'Where the item was restored to, as the server writes it',
    example: 'C:\\Temp',
    holds: place,
    of: ({ event }) => event.target,
  },
  {
    name: 'veeam.restore.reason',
    help: 'Reason for a failure or warning, as the server writes it',
    example: 'Access denied',
    holds: freeText,
    of: ({ event }) => event.reason,
  },
  ...ofSession,
  {
    name: 'error.type',
    help: 'Class of the failure; only for failures',
    example: 'restore_failed',
    of: ({ event }) => (event.status.label === 'Failed' ? 'restore_failed' : undefined),
  },
  {
    name: 'error.message',
    help: 'Error message of the server',
    example: 'Access denied',
    holds: freeText,
    of: ({ event }) => (event.status.label === 'Failed' ? failureText(event) : undefined),
  },
];

const failureText = ({ reason, message }: TakenEvent['event']): string => (reason === '' ? message : reason);
