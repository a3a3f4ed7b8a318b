import { booleanText, guid, numberText, weighted } from './text.js';
import type { World } from './world.js';

const APP_HOSTS = weighted([
  ['Word', 4],
  ['Teams', 4],
  ['Excel', 2],
  ['Outlook', 2],
  ['BizChat', 3],
  ['PowerPoint', 1],
]);
const REGIONS = ['eu', 'us', 'de', 'jp'];
const ORGANIZATION = '5f6e2a10-7c3b-4d55-9a55-0c2f4e7d8b91';
const MODELS = [
  '{"ModelProviderName":"OpenAI","ModelName":"GPT-5","ModelVersion":"2026-03-01"}',
  '{"ModelProviderName":"Anthropic","ModelName":"Claude Sonnet","ModelVersion":"4.5"}',
];
const PLUGINS = [
  '{"Id":"BingWebSearch","Name":"BingWebSearch","Version":"1.0"}',
  '{"Id":"EnterpriseSearch","Name":"Enterprise Search"}',
];

/** A Copilot interaction with what it touched (`docs/reference/events.md`, Copilot); one in ten with the agent's flat keys. */
export function copilotEvent(world: World): string {
  return world.random.oneIn(10) ? flatInteraction(world) : interaction(world);
}

function interaction(world: World): string {
  const { random, times, pools, agentHost, at } = world;
  const timeKey = random.oneIn(3) ? 'CreationTime' : 'TimeLogged';
  return `{"${timeKey}":"${times.untidy(random, at)}","ActivityType":"Copilot","AgentHost":"${agentHost}","Id":"${guid(random)}","Operation":"CopilotInteraction","OrganizationId":"${ORGANIZATION}","RecordType":261,"UserId":"${random.pick(pools.users).upn}","UserType":${numberText(random, 0)},"ClientIP":"${random.pick(pools.clientIps)}","ClientRegion":"${random.pick(REGIONS)}","Workload":"Copilot","CopilotEventData":${eventData(world)}}`;
}

function flatInteraction({ random, times, pools, agentHost, at }: World): string {
  const names = `"${random.pick(pools.paths).name}"`;
  const entity = random.oneIn(2) ? names : `[${names},"${random.pick(pools.paths).name}"]`;
  return `{"TimeLogged":"${times.untidy(random, at)}","ActivityType":"Copilot","AgentHost":"${agentHost}","Id":"${guid(random)}","Operation":"CopilotInteraction","User":"${random.pick(pools.users).upn}","Entity":${entity},"Workload":"Copilot","Region":"${random.pick(REGIONS)}"}`;
}

function eventData(world: World): string {
  const { random } = world;
  const thread = `19:${guid(random)}@thread.v2`;
  const plugin = random.oneIn(2) ? `,"AISystemPlugin":[${random.pick(PLUGINS)}]` : '';
  const context = random.oneIn(3)
    ? ''
    : `,"Contexts":[{"Id":"https://contoso.sharepoint.com/sites/hr/${random.int(9_999)}","Type":"docx"}]`;
  return `{"AppHost":"${random.pick(APP_HOSTS)}","ThreadId":"${thread}",${messages(world)}${context},"AccessedResources":[${resources(world)}]${plugin},"ModelTransparencyDetails":[${random.pick(MODELS)}]}`;
}

/** A prompt and its answer, times measured in milliseconds since 1970 as identifiers. */
function messages({ random, at }: World): string {
  const jailbreak = random.oneIn(50) ? `,"JailbreakDetected":${booleanText(random, true)}` : '';
  const prompt = `{"Id":"${at}","Size":${numberText(random, 1 + random.int(4_000))},"isPrompt":true${jailbreak}}`;
  const answer = `{"Id":"${at + 1}","Size":${random.int(20_000)},"isPrompt":${booleanText(random, false)}}`;
  return `"MessageIds":["${at}","${at + 1}"],"Messages":[${prompt},${answer}]`;
}

function resources(world: World): string {
  let list = '';
  for (let left = world.random.int(5); left > 0; left -= 1) {
    list += (list === '' ? '' : ',') + resource(world);
  }
  return list;
}

function resource({ random, pools }: World): string {
  const path = random.pick(pools.paths);
  const label = random.oneIn(3) ? `,"SensitivityLabelId":"${guid(random)}"` : '';
  return `{"Id":"${guid(random)}","SiteUrl":"https://contoso.sharepoint.com/sites/projects/${path.url}","listItemUniqueId":"${guid(random)}","Type":"${path.extension}","Name":"${path.name}"${label},"Action":"Read"}`;
}
