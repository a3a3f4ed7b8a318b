import { AGENT_HOST, officeUserType } from '@activity-gateway/activity';
import { defineParser, ip, keyword, text, time, uint } from '@activity-gateway/pipeline/helpers';
import { recordTypeName } from './record-types.js';

/**
 * Decodes `SharePointOnline` events into `sharepoint_events`. Of two names of a key the first is the agent's, the other the
 * Management Activity API's. Keys and meaning: `docs/reference/events.md`, SharePointOnline.
 */
export const sharepointParser = defineParser({
  id: 'parsers.sharepoint',
  stability: 'beta',
  summary: 'Decodes SharePoint Online activity (ActivityType SharePointOnline) into sharepoint_events.',
  claims: 'SharePointOnline',
  hostKey: AGENT_HOST,
  eventType: {
    name: 'sharepoint_events',
    type: 'sharepoint',
    aliases: ['SharePointOnline'],
    storage: {
      orderBy: ['user_id'],
      indexes: { id: 'value', user_id: 'value', client_ip: 'value', absolute_url: 'words' },
    },
    search: {
      actor: ['user_id', 'user_name', 'user_login'],
      action: ['event_type'],
      object: ['absolute_url'],
      address: ['client_ip'],
    },
  },
  columns: {
    event_time: time('TimeLogged', 'CreationTime'),
    id: text('Id'),
    organization_id: keyword('OrganizationId'),
    source: keyword('Source', 'RecordType').map(recordTypeName),
    event_type: keyword('EventType', 'Operation').required(),
    user_id: text('UserId').required(),
    user_name: text('UserName'),
    user_login: text('UserLogin', 'UserKey'),
    user_type: keyword('UserType').map(officeUserType),
    client_ip: ip('ClientIP').keepText(),
    user_agent: text('UserAgent'),
    workload: keyword('Workload'),
    result_status: keyword('ResultStatus'),
    event_source: keyword('EventSource'),
    scope: keyword('Scope'),
    absolute_url: text('AbsoluteUrl', 'ObjectId'),
    site_id: text('SiteId', 'Site'),
    site_url: text('SiteUrl'),
    item_type: keyword('ItemType'),
    item_title: text('ItemTitle'),
    source_relative_url: text('SourceRelativeUrl'),
    source_file_name: text('SourceFileName'),
    source_file_extension: keyword('SourceFileExtension'),
    destination_relative_url: text('DestinationRelativeUrl'),
    destination_file_name: text('DestinationFileName'),
    destination_file_extension: keyword('DestinationFileExtension'),
    sharing_type: keyword('SharingType'),
    target_name: text('TargetUserOrGroupName'),
    target_type: keyword('TargetUserOrGroupType'),
    event_data: text('EventData'),
    file_size: uint('uint64', 'FileSizeBytes'),
  },
});
