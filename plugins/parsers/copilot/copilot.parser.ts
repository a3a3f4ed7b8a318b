import type { EventRecord, Origin, Transform } from '@app/pipeline/api';
import {
  addExtra,
  coerceBool,
  coerceText,
  coerceUint64,
  EventTimeWindow,
  extraText,
  keepIpText,
  KnownKeys,
  officeUserType,
  parserTransform,
  readIp,
  requireText,
  type Extra,
} from '@app/pipeline/helpers';
import type { CopilotParserConfig } from './config.js';
import { listOf, restOfEventData, textsOf, type Element, type EventData } from './event-data.js';
import { copilotEvents } from './event-type.js';
import { copilotAliases, copilotKeys, copilotSchema } from './schema.js';

/** A `Copilot` event as its schema lets it through. */
type CopilotEvent = Readonly<Record<string, unknown>>;

const KNOWN = new KnownKeys(['ActivityType', ...copilotKeys], copilotAliases);
const NO_DATA: EventData = Object.freeze({});

/** Makes the parser of `Copilot` events. */
export function createCopilotParser(config: CopilotParserConfig): Transform {
  const window = new EventTimeWindow(config);
  return parserTransform<CopilotEvent>({
    eventType: copilotEvents,
    claims: 'Copilot',
    schema: copilotSchema,
    decode: (event, { receivedAt, origin }) =>
      decode(event, window.readOf(event, 'TimeLogged', 'CreationTime', receivedAt), origin),
  });
}

function decode(event: CopilotEvent, time: number, origin: Origin): EventRecord {
  const data = (event['CopilotEventData'] as EventData | null | undefined) ?? NO_DATA;
  const clientIp = readIp(event['ClientIP']);
  const messages = listOf(data, 'Messages');
  const contexts = listOf(data, 'Contexts');
  const accessed = listOf(data, 'AccessedResources');
  const resources = accessed.length > 0 ? accessed : entities(event['Entity']);
  const plugins = listOf(data, 'AISystemPlugin');
  const models = listOf(data, 'ModelTransparencyDetails');
  const extra = keepIpText(restOf(event, data, accessed, origin), event, 'ClientIP', clientIp);
  return {
    event_time: time,
    id: coerceText(event['Id'], '/Id'),
    operation: coerceText(event['Operation'], '/Operation'),
    organization_id: coerceText(event['OrganizationId'], '/OrganizationId'),
    user_id: requireText(event['UserId'] ?? event['User'], '/UserId'),
    user_type: officeUserType(coerceText(event['UserType'], '/UserType')),
    client_ip: clientIp.address,
    client_region: coerceText(event['ClientRegion'] ?? event['Region'], '/ClientRegion'),
    workload: requireText(event['Workload'], '/Workload'),
    app_host: coerceText(data['AppHost'], '/CopilotEventData/AppHost'),
    thread_id: coerceText(data['ThreadId'], '/CopilotEventData/ThreadId'),
    'messages.id': textsOf(messages, 'Id'),
    'messages.size': sizesOf(messages),
    'messages.is_prompt': flagsOf(messages, 'isPrompt'),
    'messages.jailbreak': flagsOf(messages, 'JailbreakDetected'),
    'contexts.id': textsOf(contexts, 'Id'),
    'contexts.type': textsOf(contexts, 'Type'),
    'resources.id': textsOf(resources, 'Id'),
    'resources.name': textsOf(resources, 'Name'),
    'resources.type': textsOf(resources, 'Type'),
    'resources.site_url': textsOf(resources, 'SiteUrl'),
    'resources.action': textsOf(resources, 'Action'),
    'resources.sensitivity_label_id': textsOf(resources, 'SensitivityLabelId'),
    'plugins.id': textsOf(plugins, 'Id'),
    'plugins.name': textsOf(plugins, 'Name'),
    'models.provider': textsOf(models, 'ModelProviderName'),
    'models.name': textsOf(models, 'ModelName'),
    'models.version': textsOf(models, 'ModelVersion'),
    extra: extraText(extra),
  };
}

/** The agent's flat form of the resources: one name, or several. */
function entities(value: unknown): readonly Element[] {
  if (value === undefined || value === null || value === '') return [];
  if (!Array.isArray(value)) return [{ Name: value }];
  return value.map((name: unknown): Element => ({ Name: name }));
}

function restOf(
  event: CopilotEvent,
  data: EventData,
  accessed: readonly Element[],
  origin: Origin,
): Extra | undefined {
  let extra = KNOWN.rest(event, origin.agentHost);
  const dataRest = restOfEventData(data);
  if (dataRest !== undefined) extra = addExtra(extra, 'CopilotEventData', dataRest);
  const entity = event['Entity'] ?? undefined;
  if (accessed.length > 0 && entity !== undefined) extra = addExtra(extra, 'Entity', entity);
  return extra;
}

function sizesOf(messages: readonly Element[]): (number | bigint)[] {
  const sizes: (number | bigint)[] = [];
  for (const [index, message] of messages.entries()) {
    const size = message?.['Size'];
    sizes.push(size === undefined ? 0 : (coerceUint64(size, fieldOf(index, 'Size')) ?? 0));
  }
  return sizes;
}

function flagsOf(messages: readonly Element[], key: string): boolean[] {
  const flags: boolean[] = [];
  for (const [index, message] of messages.entries()) {
    const flag = message?.[key] ?? false;
    flags.push(typeof flag === 'boolean' ? flag : coerceBool(flag, false, fieldOf(index, key)));
  }
  return flags;
}

function fieldOf(index: number, key: string): string {
  return `/CopilotEventData/Messages/${index}/${key}`;
}
