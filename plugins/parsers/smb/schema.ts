import { propertiesOf, requiredScalar, scalar, scalarList } from '@activity-gateway/pipeline/helpers';

/** `FileSystem` as sent: types only. Rules between keys are the parser's; keys not named here go to `extra`. */
export const fileSystemSchema = {
  type: 'object',
  required: ['TimeLogged', 'Host', 'Operation', 'Path'],
  properties: {
    ActivityType: { type: 'string' },
    TimeLogged: { type: 'string' },
    ...propertiesOf(['Host', 'Operation', 'Path'], requiredScalar),
    ...propertiesOf(['ObjectType', 'NewPath', 'UserName', 'UserSid'], scalar),
    ...propertiesOf(['ClientIP', 'ProcessName', 'ProcessId', 'Protocol', 'ProtocolVersion'], scalar),
    ...propertiesOf(['ShareName', 'UncPath', 'NewUncPath', 'VolumeId'], scalar),
    ...propertiesOf(['SubOperation', 'OldValue', 'NewValue', 'FileSize', 'BytesTransferred'], scalar),
    ...propertiesOf(['Success', 'Blocked', 'GroupId', 'GroupName'], scalar),
    Tags: scalarList,
  },
};
