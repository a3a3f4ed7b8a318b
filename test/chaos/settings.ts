import {
  numberSettings,
  type NumberSettingName,
} from '../../apps/ingest-gateway/src/settings/definitions.js';
import type { TestGateway } from '../support/gateway.js';
import type { Dice } from './dice.js';

/** A value for a setting, or for the flag that says whether agents are served. */
export type SettingChange =
  | { readonly name: NumberSettingName; readonly value: number }
  | { readonly name: 'enable_activitymonitor_ingestion'; readonly value: boolean };

const NAMES = Object.keys(numberSettings) as NumberSettingName[];
/** Agents of the suite know one port. */
const CHANGED = NAMES.filter((name) => name !== 'activitymonitor_tcp_port');
/** Narrower than the range of the setting, so that a small machine carries it and a test does not wait for minutes. */
const NARROW: Partial<Record<NumberSettingName, readonly [number, number]>> = {
  activitymonitor_reactor_threads: [1, 4],
  activitymonitor_batch_interval_seconds: [1, 5],
  activitymonitor_shutdown_drain_timeout_seconds: [10, 30],
};

/** A change at random, within the range of its setting. */
export function randomSetting(dice: Dice): SettingChange {
  const name = dice.pick(CHANGED);
  const { minimum, maximum } = numberSettings[name];
  const [low, high] = NARROW[name] ?? [minimum, maximum];
  return { name, value: dice.between(low, high) };
}

/** Changes a setting over REST. @throws Error when it is refused */
export async function setSetting(gateway: TestGateway, { name, value }: SettingChange): Promise<void> {
  const room = typeof value === 'boolean' ? 'feature-flags' : 'settings';
  const { status, body } = await gateway.rest('PUT', `/api/v1/${room}/${name}`, { value });
  if (status !== 200) throw new Error(`${name} = ${value}: ${status} ${JSON.stringify(body)}`);
}

/** Gives all settings back to the environment and the defaults. */
export async function resetSettings(gateway: TestGateway): Promise<void> {
  for (const name of CHANGED) await gateway.rest('DELETE', `/api/v1/settings/${name}`);
}
