import { RejectError, type EventRecord, type Origin, type Transform } from '@activity-gateway/pipeline/api';
import {
  coerceBool,
  coercePath,
  coerceText,
  coerceTextList,
  coerceUint64,
  EventTimeWindow,
  extraText,
  keepIpText,
  KnownKeys,
  missingKey,
  parserTransform,
  readIp,
  requireText,
} from '@activity-gateway/pipeline/helpers';
import type { SmbParserConfig } from './config.js';
import { fileEvents } from './event-type.js';
import { objectTypeName, operationName } from './names.js';
import { fileSystemSchema } from './schema.js';

/** A `FileSystem` event as its schema lets it through. */
type FileSystemEvent = Readonly<Record<string, unknown>>;

const KNOWN = new KnownKeys(Object.keys(fileSystemSchema.properties));

/** Makes the parser of `FileSystem` events. `setAside` is told how many values of a wrong type went to `extra`. */
export function createSmbParser(config: SmbParserConfig, setAside?: (values: number) => void): Transform {
  const window = new EventTimeWindow(config);
  return parserTransform<FileSystemEvent>({
    eventType: fileEvents,
    claims: 'FileSystem',
    schema: fileSystemSchema,
    setAside: { except: ['Success', 'Blocked'], ...(setAside && { count: setAside }) },
    keys: KNOWN,
    decode: (event, { receivedAt, origin }) =>
      decode(event, window.read(event['TimeLogged'], receivedAt, '/TimeLogged'), origin),
  });
}

function decode(event: FileSystemEvent, time: number, origin: Origin): EventRecord {
  const operation = operationName(requireText(event['Operation'], '/Operation'));
  const newPath = coercePath(event['NewPath'], '/NewPath');
  if (operation === 'Rename' && newPath === '') throw missingKey('/NewPath');
  const userName = coerceText(event['UserName'], '/UserName');
  const userSid = coerceText(event['UserSid'], '/UserSid');
  if (userName === '' && userSid === '') throw missingUser();
  const clientIp = readIp(event['ClientIP']);
  return {
    event_time: time,
    host: requireText(event['Host'], '/Host'),
    operation,
    object_type: objectTypeName(coerceText(event['ObjectType'], '/ObjectType')),
    path: requirePath(event['Path']),
    new_path: newPath,
    user_name: userName,
    user_sid: userSid,
    client_ip: clientIp.address,
    process_name: coerceText(event['ProcessName'], '/ProcessName'),
    process_id: coerceUint64(event['ProcessId'], '/ProcessId'),
    protocol: coerceText(event['Protocol'], '/Protocol'),
    protocol_version: coerceText(event['ProtocolVersion'], '/ProtocolVersion'),
    share_name: coerceText(event['ShareName'], '/ShareName'),
    unc_path: coercePath(event['UncPath'], '/UncPath'),
    new_unc_path: coercePath(event['NewUncPath'], '/NewUncPath'),
    volume_id: coerceText(event['VolumeId'], '/VolumeId'),
    sub_operation: coerceText(event['SubOperation'], '/SubOperation'),
    old_value: coerceText(event['OldValue'], '/OldValue'),
    new_value: coerceText(event['NewValue'], '/NewValue'),
    file_size: coerceUint64(event['FileSize'], '/FileSize'),
    bytes_transferred: coerceUint64(event['BytesTransferred'], '/BytesTransferred'),
    success: coerceBool(event['Success'], true, '/Success'),
    blocked: coerceBool(event['Blocked'], false, '/Blocked'),
    tags: coerceTextList(event['Tags'], '/Tags'),
    group_id: coerceText(event['GroupId'], '/GroupId'),
    group_name: coerceText(event['GroupName'], '/GroupName'),
    extra: extraText(keepIpText(KNOWN.rest(event, origin.agentHost), event, 'ClientIP', clientIp)),
  };
}

function requirePath(value: unknown): string {
  const path = coercePath(value, '/Path');
  if (path === '') throw missingKey('/Path');
  return path;
}

function missingUser(): RejectError {
  return new RejectError('missing_key', '/UserName', 'One of UserName and UserSid is required.');
}
