import { propertiesOf, scalar } from '@activity-gateway/pipeline/helpers';

/** Names of the Management Activity API, each with the agent's name for the same key. The agent's wins over it. */
export const sharepointAliases = {
  CreationTime: 'TimeLogged',
  RecordType: 'Source',
  Operation: 'EventType',
  UserKey: 'UserLogin',
  ObjectId: 'AbsoluteUrl',
  Site: 'SiteId',
} as const;

/** The agent's names of all keys that have a column. */
export const sharepointKeys = [
  'TimeLogged',
  ...['Id', 'OrganizationId', 'Source', 'EventType'],
  ...['UserId', 'UserName', 'UserLogin', 'UserType', 'ClientIP', 'UserAgent'],
  ...['Workload', 'ResultStatus', 'EventSource', 'Scope'],
  ...['AbsoluteUrl', 'SiteId', 'SiteUrl', 'ItemType', 'ItemTitle'],
  ...['SourceRelativeUrl', 'SourceFileName', 'SourceFileExtension'],
  ...['DestinationRelativeUrl', 'DestinationFileName', 'DestinationFileExtension'],
  ...['SharingType', 'TargetUserOrGroupName', 'TargetUserOrGroupType', 'EventData', 'FileSizeBytes'],
];

const time = { type: ['string', 'null'] };

/** `SharePointOnline` as sent: types only. Which keys are required is the parser's, because each may have two names. */
export const sharepointSchema = {
  type: 'object',
  required: ['UserId'],
  properties: {
    ActivityType: { type: 'string' },
    ...propertiesOf([...sharepointKeys, ...Object.keys(sharepointAliases)], scalar),
    TimeLogged: time,
    CreationTime: time,
  },
};
