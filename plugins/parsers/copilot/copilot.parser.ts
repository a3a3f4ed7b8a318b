import type { EventRecord, Origin, Transform } from '@activity-gateway/pipeline/api';
import {
  addExtra,
  coerceText,
  EventTimeWindow,
  extraText,
  keepIpText,
  KnownKeys,
  nestExtra,
  parserTransform,
  readIp,
  requireText,
  type Extra,
} from '@activity-gateway/pipeline/helpers';
import { officeUserType } from '@activity-gateway/activity';
import type { CopilotParserConfig } from './config.js';
import { listsOf, restOfEventData, type EventData, type Lists } from './event-data.js';
import { copilotEvents } from './event-type.js';
import {
  contextColumns,
  messageColumns,
  modelColumns,
  pluginColumns,
  resourceColumns,
  type Element,
} from './nested-columns.js';
import { copilotAliases, copilotKeys, copilotSchema } from './schema.js';

/** A `Copilot` event as its schema lets it through. */
type CopilotEvent = Readonly<Record<string, unknown>>;

const KNOWN = new KnownKeys(['ActivityType', ...copilotKeys], copilotAliases);
const NO_DATA: EventData = Object.freeze({});

/** Makes the parser of `Copilot` events. `setAside` is told how many values of a wrong type went to `extra`. */
export function createCopilotParser(
  config: CopilotParserConfig,
  setAside?: (values: number) => void,
): Transform {
  const window = new EventTimeWindow(config);
  return parserTransform<CopilotEvent>({
    eventType: copilotEvents,
    claims: 'Copilot',
    schema: copilotSchema,
    setAside: { except: [], ...(setAside && { count: setAside }) },
    decode: (event, { receivedAt, origin }) =>
      decode(event, window.readOf(event, 'TimeLogged', 'CreationTime', receivedAt), origin),
  });
}

function decode(event: CopilotEvent, time: number, origin: Origin): EventRecord {
  const data = (event['CopilotEventData'] as EventData | null | undefined) ?? NO_DATA;
  const clientIp = readIp(event['ClientIP']);
  const lists = listsOf(data);
  const accessed = lists.AccessedResources;
  // Before the columns: of several faults the first in the record's order is told.
  const extra = keepIpText(restOf(event, data, lists, origin), event, 'ClientIP', clientIp);
  const userId = requireText(event['UserId'] ?? event['User'], '/UserId');
  const workload = requireText(event['Workload'], '/Workload');
  const messages = messageColumns(lists.Messages);
  const contexts = contextColumns(lists.Contexts);
  const resources = resourceColumns(accessed.length > 0 ? accessed : entities(event['Entity']));
  const plugins = pluginColumns(lists.AISystemPlugin);
  const models = modelColumns(lists.ModelTransparencyDetails);
  return {
    event_time: time,
    id: coerceText(event['Id'], '/Id'),
    operation: coerceText(event['Operation'], '/Operation'),
    organization_id: coerceText(event['OrganizationId'], '/OrganizationId'),
    user_id: userId,
    user_type: officeUserType(coerceText(event['UserType'], '/UserType')),
    client_ip: clientIp.address,
    client_region: coerceText(event['ClientRegion'] ?? event['Region'], '/ClientRegion'),
    workload,
    app_host: coerceText(data['AppHost'], '/CopilotEventData/AppHost'),
    thread_id: coerceText(data['ThreadId'], '/CopilotEventData/ThreadId'),
    'messages.id': messages.id,
    'messages.size': messages.size,
    'messages.is_prompt': messages.isPrompt,
    'messages.jailbreak': messages.jailbreak,
    'contexts.id': contexts.id,
    'contexts.type': contexts.type,
    'resources.id': resources.id,
    'resources.name': resources.name,
    'resources.type': resources.type,
    'resources.site_url': resources.siteUrl,
    'resources.action': resources.action,
    'resources.sensitivity_label_id': resources.labelId,
    'plugins.id': plugins.id,
    'plugins.name': plugins.name,
    'models.provider': models.provider,
    'models.name': models.name,
    'models.version': models.version,
    extra: extraText(extra),
  };
}

/** The agent's flat form of the resources: one name, or several. */
function entities(value: unknown): readonly Element[] {
  if (value === undefined || value === null || value === '') return [];
  if (!Array.isArray(value)) return [{ Name: value }];
  return value.map((name: unknown): Element => ({ Name: name }));
}

function restOf(event: CopilotEvent, data: EventData, lists: Lists, origin: Origin): Extra | undefined {
  let extra = KNOWN.rest(event, origin.agentHost);
  const dataRest = restOfEventData(data, lists);
  if (dataRest !== undefined) extra = nestExtra(extra, 'CopilotEventData', dataRest);
  const entity = event['Entity'] ?? undefined;
  if (lists.AccessedResources.length > 0 && entity !== undefined) extra = addExtra(extra, 'Entity', entity);
  return extra;
}
