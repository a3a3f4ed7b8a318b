import { EVENT_KINDS } from '@activity-gateway/agent';
import type { EventType } from '@activity-gateway/pipeline/api';
import { relative } from 'node:path';
import { formatTable } from '../agent/table.js';
import type { StoredCounts } from './stored-counts.js';

/** How a run ended, by type. */
export interface DemoReport {
  readonly text: string;
  /** Whether sent = stored + dead letters holds for every type. */
  readonly balanced: boolean;
}

const UNKNOWN_LABEL = 'unknown type';

/** Compares what was sent with what ClickHouse holds. */
export function makeReport(sent: ReadonlyMap<string, number>, counts: StoredCounts): DemoReport {
  const rows = [...EVENT_KINDS, 'unknown' as const].map((kind) => {
    const stored = counts.stored.get(kind) ?? 0;
    const dead = counts.deadLetters.get(kind) ?? 0;
    return { kind, sent: sent.get(kind) ?? 0, stored, dead };
  });
  const balanced = rows.every((row) => row.sent === row.stored + row.dead);
  const total = (name: 'sent' | 'stored' | 'dead'): number => rows.reduce((sum, row) => sum + row[name], 0);
  const text = formatTable([
    ['type', 'sent', 'stored', 'dead letters', 'missing'],
    ...rows.map(({ kind, ...row }) => [
      kind === 'unknown' ? UNKNOWN_LABEL : kind,
      row.sent,
      row.stored,
      row.dead,
      row.sent - row.stored - row.dead,
    ]),
    ['total', total('sent'), total('stored'), total('dead'), total('sent') - total('stored') - total('dead')],
  ]);
  return { text, balanced };
}

/** Addresses of a gateway that runs, and what opens them. */
export interface RunningGateway {
  readonly url: string;
  /** Configuration of curl for the embedded ClickHouse. */
  readonly accessFile: string;
  readonly keyFile: string;
  readonly agentPort: number;
  readonly logFile: string;
}

/** Commands to go on with, ready to be copied into a shell. */
export function furtherCommands(gateway: RunningGateway, eventTypes: readonly EventType[]): string {
  const keyFile = shellPath(gateway.keyFile);
  const rest = (path: string): string =>
    `  curl -s -H "Authorization: Bearer $(cat ${keyFile})" '${gateway.url}${path}'\n`;
  const [first, second] = eventTypes;
  const sql = (text: string): string =>
    `  curl -s --config ${shellPath(gateway.accessFile)} --data-binary "${text} FORMAT PrettyCompactMonoBlock"\n`;
  return `Ask it over REST:
${rest('/api/v1/activity/summary')}${rest(`/api/v1/activity/events?type=${first?.type}&limit=5`)}${rest('/api/v1/nam-listener/agents')}
or with SQL in ClickHouse:
${first ? sql(actionsOf(first)) : ''}${second ? sql(newestOf(second)) : ''}${sql('SELECT code, field, message, count() FROM activity.dead_letters GROUP BY ALL ORDER BY 4 DESC')}
or send more; the agents of this run need no token:
  npm run agent -- --port ${gateway.agentPort} --agents 3 --data ${shellPath(agentsDirOf(gateway.keyFile))} --events 10000

Its log: ${shellPath(gateway.logFile)}
`;
}

function actionsOf({ name, search }: EventType): string {
  const action = search.action[0] ?? 'agent_host';
  return `SELECT ${action}, count() FROM activity.${name} GROUP BY ${action} ORDER BY 2 DESC`;
}

function newestOf({ name, storage, search: { actor, action, object } }: EventType): string {
  const columns = [storage.time, ...[actor, action, object].flatMap((fields) => fields.slice(0, 1))];
  return `SELECT ${columns.join(', ')} FROM activity.${name} ORDER BY ${storage.time} DESC LIMIT 10`;
}

function agentsDirOf(keyFile: string): string {
  return keyFile.replace(/[^/\\]+$/, 'agents');
}

/** Relative where that is shorter, and quoted where a shell would split it. */
function shellPath(path: string): string {
  const near = relative(process.cwd(), path);
  const shown = near !== '' && near.length < path.length ? near : path;
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
