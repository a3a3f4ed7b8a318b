import type { EventRecord, Origin, Transform } from '@activity-gateway/pipeline/api';
import {
  coerceText,
  coerceUint64,
  EventTimeWindow,
  extraText,
  keepIpText,
  KnownKeys,
  parserTransform,
  readIp,
  requireText,
} from '@activity-gateway/pipeline/helpers';
import { officeUserType } from '@activity-gateway/activity';
import type { SharepointParserConfig } from './config.js';
import { sharepointEvents } from './event-type.js';
import { recordTypeName } from './record-types.js';
import { sharepointAliases, sharepointKeys, sharepointSchema } from './schema.js';

/** A `SharePointOnline` event as its schema lets it through. */
type SharepointEvent = Readonly<Record<string, unknown>>;

const KNOWN = new KnownKeys(['ActivityType', ...sharepointKeys], sharepointAliases);

/** Makes the parser of `SharePointOnline` events. `setAside` is told how many values of a wrong type went to `extra`. */
export function createSharepointParser(
  config: SharepointParserConfig,
  setAside?: (values: number) => void,
): Transform {
  const window = new EventTimeWindow(config);
  return parserTransform<SharepointEvent>({
    eventType: sharepointEvents,
    claims: 'SharePointOnline',
    schema: sharepointSchema,
    setAside: { except: [], ...(setAside && { count: setAside }) },
    decode: (event, { receivedAt, origin }) =>
      decode(event, window.readOf(event, 'TimeLogged', 'CreationTime', receivedAt), origin),
  });
}

function decode(event: SharepointEvent, time: number, origin: Origin): EventRecord {
  const clientIp = readIp(event['ClientIP']);
  return {
    event_time: time,
    id: coerceText(event['Id'], '/Id'),
    organization_id: coerceText(event['OrganizationId'], '/OrganizationId'),
    source: recordTypeName(coerceText(event['Source'] ?? event['RecordType'], '/Source')),
    event_type: requireText(event['EventType'] ?? event['Operation'], '/EventType'),
    user_id: requireText(event['UserId'], '/UserId'),
    user_name: coerceText(event['UserName'], '/UserName'),
    user_login: coerceText(event['UserLogin'] ?? event['UserKey'], '/UserLogin'),
    user_type: officeUserType(coerceText(event['UserType'], '/UserType')),
    client_ip: clientIp.address,
    user_agent: coerceText(event['UserAgent'], '/UserAgent'),
    workload: coerceText(event['Workload'], '/Workload'),
    result_status: coerceText(event['ResultStatus'], '/ResultStatus'),
    event_source: coerceText(event['EventSource'], '/EventSource'),
    scope: coerceText(event['Scope'], '/Scope'),
    absolute_url: coerceText(event['AbsoluteUrl'] ?? event['ObjectId'], '/AbsoluteUrl'),
    site_id: coerceText(event['SiteId'] ?? event['Site'], '/SiteId'),
    site_url: coerceText(event['SiteUrl'], '/SiteUrl'),
    item_type: coerceText(event['ItemType'], '/ItemType'),
    item_title: coerceText(event['ItemTitle'], '/ItemTitle'),
    source_relative_url: coerceText(event['SourceRelativeUrl'], '/SourceRelativeUrl'),
    source_file_name: coerceText(event['SourceFileName'], '/SourceFileName'),
    source_file_extension: coerceText(event['SourceFileExtension'], '/SourceFileExtension'),
    destination_relative_url: coerceText(event['DestinationRelativeUrl'], '/DestinationRelativeUrl'),
    destination_file_name: coerceText(event['DestinationFileName'], '/DestinationFileName'),
    destination_file_extension: coerceText(event['DestinationFileExtension'], '/DestinationFileExtension'),
    sharing_type: coerceText(event['SharingType'], '/SharingType'),
    target_name: coerceText(event['TargetUserOrGroupName'], '/TargetUserOrGroupName'),
    target_type: coerceText(event['TargetUserOrGroupType'], '/TargetUserOrGroupType'),
    event_data: coerceText(event['EventData'], '/EventData'),
    file_size: coerceUint64(event['FileSizeBytes'], '/FileSizeBytes'),
    extra: extraText(keepIpText(KNOWN.rest(event, origin.agentHost), event, 'ClientIP', clientIp)),
  };
}
