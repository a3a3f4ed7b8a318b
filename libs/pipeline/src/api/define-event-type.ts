import { GatewayError } from './errors.js';
import {
  METADATA_FIELDS,
  type EventStorage,
  type EventType,
  type FieldSpec,
  type IndexKind,
  type SearchRoles,
} from './event-type.js';

type Fields = Readonly<Record<string, FieldSpec>>;
type FieldName<F extends Fields> = Extract<keyof F, string>;

/** What an author says of an event type; the rest has defaults. */
export interface EventTypeDeclaration<F extends Fields = Fields> {
  readonly name: string;
  /** By default `name` without `_events`. */
  readonly type?: string;
  readonly aliases?: readonly string[];
  readonly fields: F;
  /** By default, `time` is `event_time` where there is such a field, otherwise `received_at`. */
  readonly storage?: {
    readonly time?: FieldName<F> | 'received_at';
    readonly orderBy?: readonly FieldName<F>[];
    readonly indexes?: { readonly [Name in FieldName<F>]?: IndexKind };
  };
  readonly search?: { readonly [Role in keyof SearchRoles]?: readonly FieldName<F>[] };
}

/**
 * Declares an event type; the same object is what records are told apart by.
 * @throws GatewayError `EVENT_TYPE_INVALID` for a name that no table can have, or a role that its field cannot play
 */
export function defineEventType<const F extends Fields>(declaration: EventTypeDeclaration<F>): EventType {
  const { name, fields, storage = {}, search = {} } = declaration;
  const type: EventType = {
    name,
    type: declaration.type ?? name.replace(/_events$/, ''),
    aliases: Object.freeze([...(declaration.aliases ?? [])]),
    fields: Object.freeze({ ...fields }),
    storage: Object.freeze({
      time: storage.time ?? ('event_time' in fields ? 'event_time' : 'received_at'),
      orderBy: Object.freeze([...(storage.orderBy ?? [])]),
      indexes: Object.freeze({ ...storage.indexes } as Record<string, IndexKind>),
    }),
    search: Object.freeze({
      actor: Object.freeze([...(search.actor ?? [])]),
      host: Object.freeze([...(search.host ?? [])]),
      action: Object.freeze([...(search.action ?? [])]),
      object: Object.freeze([...(search.object ?? [])]),
      address: Object.freeze([...(search.address ?? [])]),
    }),
  };
  const problem = problemOf(type);
  if (problem !== undefined) {
    throw new GatewayError(
      'EVENT_TYPE_INVALID',
      `The event type "${name}" is invalid: ${problem}`,
      'Correct its declaration (defineEventType).',
    );
  }
  return Object.freeze(type);
}

const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const FIELD_NAME = /^[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,63})?$/;

function problemOf({ name, type, fields, storage, search }: EventType): string | undefined {
  if (!NAME.test(name)) return 'its name is not in lower_snake_case.';
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(type)) return `its type "${type}" is not a lower-case name.`;
  for (const field of Object.keys(fields)) {
    if (!FIELD_NAME.test(field)) return `the field "${field}" is not in lower_snake_case.`;
    if (field in METADATA_FIELDS) return `the gateway itself writes the field "${field}".`;
  }
  const roles = Object.values(search).flat() as string[];
  const used = [...storage.orderBy, ...Object.keys(storage.indexes), ...roles];
  const unknown = used.find((field) => fields[field] === undefined);
  if (unknown !== undefined) return `it has no field "${unknown}".`;
  return storageProblem(fields, storage);
}

function storageProblem(fields: Fields, { time, orderBy, indexes }: EventStorage): string | undefined {
  const timeSpec = time === 'received_at' ? METADATA_FIELDS.received_at : fields[time];
  if (timeSpec?.kind !== 'time' || (timeSpec as FieldSpec).nullable === true) {
    return `"${time}" does not hold a time in every record.`;
  }
  const unsortable = orderBy.find((field) => fields[field]?.nullable === true || isMany(fields[field]));
  if (unsortable !== undefined)
    return `"${unsortable}" does not hold one value in every record, so nothing is sorted by it.`;
  for (const [field, kind] of Object.entries(indexes)) {
    const indexable = kind === 'value' ? !isMany(fields[field]) : isText(fields[field]);
    if (!indexable) return `"${field}" cannot have an index of the kind "${kind}".`;
  }
  return undefined;
}

function isMany(spec: FieldSpec | undefined): boolean {
  return spec === undefined || spec.kind.endsWith('[]') || spec.kind === 'keyword-map';
}

function isText(spec: FieldSpec | undefined): boolean {
  return spec?.kind === 'text' || spec?.kind === 'keyword';
}
