import type { FilePath, User } from './pools.js';
import { guid, numberText, weighted } from './text.js';
import type { World } from './world.js';
import { USER_AGENTS } from './words.js';

const FILE_OPERATIONS = weighted([
  ['FileAccessed', 10],
  ['FileModified', 6],
  ['FileDownloaded', 4],
  ['FileUploaded', 3],
  ['FileDeleted', 2],
  ['FileRenamed', 2],
  ['FileMoved', 1],
  ['FileCheckedOut', 1],
  // Not among the names that are known: it is stored unchanged.
  ['FileSummarizedByAssistant', 1],
]);
const SHARING_OPERATIONS = [
  'SharingSet',
  'SharingInvitationCreated',
  'AnonymousLinkCreated',
  'CompanyLinkUsed',
  'AddedToSecureLink',
];
const MOVES = new Set(['FileRenamed', 'FileMoved']);
const ORGANIZATION = '5f6e2a10-7c3b-4d55-9a55-0c2f4e7d8b91';
const SITES = ['finance', 'hr', 'projects', 'vertrieb', 'エンジニアリング'];

/** An event of SharePoint Online, with the agent's keys or with those of the Management Activity API (`docs/reference/events.md`). */
export function sharepointEvent(world: World): string {
  const { random, pools } = world;
  const path = random.pick(pools.paths);
  const user = random.pick(pools.users);
  const site = `https://contoso.sharepoint.com/sites/${random.pick(SITES)}/`;
  const sharing = random.oneIn(5);
  const operation = random.pick(sharing ? SHARING_OPERATIONS : FILE_OPERATIONS);
  const head = random.oneIn(3)
    ? apiHead(world, user, operation, sharing)
    : agentHead(world, user, operation, sharing);
  const detail = sharing ? sharingDetail(world) : fileDetail(world, path, operation);
  return `${head},${client(world)},"SiteUrl":"${site}",${item(path, site, head)}${detail}}`;
}

function agentHead(
  { random, times, agentHost, at }: World,
  user: User,
  operation: string,
  sharing: boolean,
): string {
  const source = sharing ? 'SharePointSharingOperation' : 'SharePointFileOperation';
  return `{"TimeLogged":"${times.untidy(random, at)}","ActivityType":"SharePointOnline","AgentHost":"${agentHost}","Id":"${guid(random)}","OrganizationId":"${ORGANIZATION}","Source":"${source}","EventType":"${operation}","UserId":"${user.upn}","UserName":"${user.name}","UserType":"Regular"`;
}

/** A record of the Management Activity API as it comes, with `ActivityType` added. */
function apiHead({ random, times, at }: World, user: User, operation: string, sharing: boolean): string {
  return `{"CreationTime":"${times.second(at)}","ActivityType":"SharePointOnline","Id":"${guid(random)}","OrganizationId":"${ORGANIZATION}","RecordType":${numberText(random, sharing ? 14 : 6)},"Operation":"${operation}","UserId":"${user.upn}","UserKey":"i:0h.f|membership|${user.upn}","UserType":${random.oneIn(30) ? 2 : 0},"Version":1`;
}

function client({ random, pools }: World): string {
  return `"Workload":"${random.oneIn(3) ? 'OneDrive' : 'SharePoint'}","ClientIP":"${random.pick(pools.clientIps)}","UserAgent":"${random.pick(USER_AGENTS)}","EventSource":"SharePoint"`;
}

function item(path: FilePath, site: string, head: string): string {
  const urlKey = head.startsWith('{"C') ? 'ObjectId' : 'AbsoluteUrl';
  return `"ItemType":"File","${urlKey}":"${site}Shared Documents/${path.url}","SourceRelativeUrl":"Shared Documents/${path.folderUrl}","SourceFileName":"${path.name}","SourceFileExtension":"${path.extension}"`;
}

function fileDetail({ random, pools }: World, path: FilePath, operation: string): string {
  const size = `,"FileSizeBytes":${numberText(random, random.int(2_000_000))}`;
  if (!MOVES.has(operation)) return size;
  const target = random.pick(pools.paths);
  return `${size},"DestinationRelativeUrl":"Shared Documents/${target.folderUrl}","DestinationFileName":"${target.name}","DestinationFileExtension":"${path.extension}"`;
}

function sharingDetail({ random, pools }: World): string {
  const guest = random.oneIn(3);
  const target = guest ? `partner${random.int(500)}@fabrikam.example` : random.pick(pools.users).upn;
  return `,"SharingType":"${random.pick(['View', 'Edit'])}","TargetUserOrGroupName":"${target}","TargetUserOrGroupType":"${guest ? 'Guest' : 'Member'}","EventData":"<Permissions granted>${random.pick(['Read', 'Contribute'])}</Permissions granted>","UniqueSharingId":"${guid(random)}"`;
}
