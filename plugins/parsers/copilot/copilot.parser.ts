import { AGENT_HOST, officeUserType } from '@activity-gateway/activity';
import type { FieldValue } from '@activity-gateway/pipeline/api';
import {
  addExtra,
  coerceText,
  defineParser,
  from,
  ip,
  keyword,
  nestExtra,
  scalarList,
  text,
  time,
  type Column,
  type Extra,
} from '@activity-gateway/pipeline/helpers';
import { listsOf, restOfEventData, type EventData, type Lists } from './event-data.js';
import { eventDataSchema } from './lists.js';
import {
  contextColumns,
  messageColumns,
  modelColumns,
  pluginColumns,
  resourceColumns,
  type Element,
} from './nested-columns.js';

/** A `Copilot` event as its schema lets it through. */
type CopilotEvent = Readonly<Record<string, unknown>>;

/** What the columns that are not flat are made from. */
interface Prepared {
  readonly entity: unknown;
  readonly data: EventData;
  readonly lists: Lists;
  readonly messages: ReturnType<typeof messageColumns>;
  readonly contexts: ReturnType<typeof contextColumns>;
  readonly resources: ReturnType<typeof resourceColumns>;
  readonly plugins: ReturnType<typeof pluginColumns>;
  readonly models: ReturnType<typeof modelColumns>;
}

const NO_DATA: EventData = Object.freeze({});

const texts = (read: (prepared: Prepared) => FieldValue): Column =>
  from<Prepared, FieldValue>('text[]', read);

/**
 * Decodes `Copilot` events into `copilot_events`. Of two names of a key the first is the agent's. Keys and meaning:
 * `docs/reference/events.md`, Copilot.
 */
export const copilotParser = defineParser<CopilotEvent, Prepared>({
  id: 'parsers.copilot',
  stability: 'beta',
  summary: 'Decodes Microsoft 365 Copilot interactions (ActivityType Copilot) into copilot_events.',
  claims: 'Copilot',
  hostKey: AGENT_HOST,
  eventType: {
    name: 'copilot_events',
    type: 'copilot',
    storage: {
      orderBy: ['user_id'],
      indexes: { id: 'value', user_id: 'value', client_ip: 'value' },
    },
    search: {
      actor: ['user_id'],
      action: ['operation'],
      object: ['resources.name', 'resources.site_url'],
      address: ['client_ip'],
    },
  },
  keys: { CopilotEventData: eventDataSchema, Entity: scalarList },
  prepare: () => prepare,
  columns: {
    event_time: time('TimeLogged', 'CreationTime'),
    id: text('Id'),
    operation: keyword('Operation'),
    organization_id: keyword('OrganizationId'),
    user_id: text('UserId', 'User').required(),
    user_type: keyword('UserType').map(officeUserType),
    client_ip: ip('ClientIP').keepText(),
    client_region: keyword('ClientRegion', 'Region'),
    workload: keyword('Workload').required(),
    app_host: from('keyword', ({ data }: Prepared) =>
      coerceText(data['AppHost'], '/CopilotEventData/AppHost'),
    ),
    thread_id: from('text', ({ data }: Prepared) =>
      coerceText(data['ThreadId'], '/CopilotEventData/ThreadId'),
    ),
    'messages.id': texts(({ messages }) => messages.id),
    'messages.size': from('uint64[]', ({ messages }: Prepared) => messages.size),
    'messages.is_prompt': from('bool[]', ({ messages }: Prepared) => messages.isPrompt),
    'messages.jailbreak': from('bool[]', ({ messages }: Prepared) => messages.jailbreak),
    'contexts.id': texts(({ contexts }) => contexts.id),
    'contexts.type': texts(({ contexts }) => contexts.type),
    'resources.id': texts(({ resources }) => resources.id),
    'resources.name': texts(({ resources }) => resources.name),
    'resources.type': texts(({ resources }) => resources.type),
    'resources.site_url': texts(({ resources }) => resources.siteUrl),
    'resources.action': texts(({ resources }) => resources.action),
    'resources.sensitivity_label_id': texts(({ resources }) => resources.labelId),
    'plugins.id': texts(({ plugins }) => plugins.id),
    'plugins.name': texts(({ plugins }) => plugins.name),
    'models.provider': texts(({ models }) => models.provider),
    'models.name': texts(({ models }) => models.name),
    'models.version': texts(({ models }) => models.version),
  },
  extra: restOf,
});

function prepare(event: CopilotEvent): Prepared {
  const data = (event['CopilotEventData'] as EventData | null | undefined) ?? NO_DATA;
  const lists = listsOf(data);
  const accessed = lists.AccessedResources;
  const entity = event['Entity'] ?? undefined;
  return {
    entity,
    data,
    lists,
    messages: messageColumns(lists.Messages),
    contexts: contextColumns(lists.Contexts),
    resources: resourceColumns(accessed.length > 0 ? accessed : entities(entity)),
    plugins: pluginColumns(lists.AISystemPlugin),
    models: modelColumns(lists.ModelTransparencyDetails),
  };
}

/** The agent's flat form of the resources: one name, or several. */
function entities(value: unknown): readonly Element[] {
  if (value === undefined || value === '') return [];
  if (!Array.isArray(value)) return [{ Name: value }];
  return value.map((name: unknown): Element => ({ Name: name }));
}

function restOf(rest: Extra | undefined, { data, lists, entity }: Prepared): Extra | undefined {
  let extra = rest;
  const dataRest = restOfEventData(data, lists);
  if (dataRest !== undefined) extra = nestExtra(extra, 'CopilotEventData', dataRest);
  if (lists.AccessedResources.length > 0 && entity !== undefined) extra = addExtra(extra, 'Entity', entity);
  return extra;
}
