import { Dice } from './dice.js';
import type { Fault, Moment } from '../support/fault-proxy.js';
import type { ResetSide } from '../support/tcp-proxy.js';
import type { Victim } from './scene.js';
import { randomSetting, type SettingChange } from './settings.js';

/** Something that is done to a running gateway. Times are in ms. */
export type Action =
  | { readonly kind: 'kill'; readonly victim: Victim }
  | { readonly kind: 'kill-at'; readonly victim: 'reactor' | 'gateway'; readonly moment: Moment }
  | { readonly kind: 'restart' }
  | { readonly kind: 'faults'; readonly ms: number; readonly seed: number }
  | { readonly kind: 'hang'; readonly ms: number; readonly fault: Fault }
  | { readonly kind: 'resets'; readonly side: ResetSide; readonly share: number; readonly seed: number }
  | { readonly kind: 'setting'; readonly change: SettingChange }
  | { readonly kind: 'reactors'; readonly value: number }
  | { readonly kind: 'switch-off'; readonly ms: number }
  | { readonly kind: 'clock'; readonly ms: number }
  | { readonly kind: 'disk-full'; readonly ms: number }
  | { readonly kind: 'second-start' };

/** Name of what is done. */
export type ActionKind = Action['kind'];

/** An action, and how long the gateway is left alone before it, ms. */
export interface Step {
  readonly pauseMs: number;
  readonly action: Action;
}

const HOUR_MS = 3_600_000;
/** Further than this from the machine's time, events would be refused as too old or as of the future. */
const MAX_OFFSET_HOURS = 6;

type Maker = (dice: Dice) => Action;

/** What is done, as often as it stands here. */
const MAKERS: readonly (readonly [ActionKind, Maker])[] = [
  ['kill', (dice) => ({ kind: 'kill', victim: dice.pick(['reactor', 'control', 'gateway', 'clickhouse']) })],
  ['kill', (dice) => ({ kind: 'kill', victim: dice.pick(['reactor', 'gateway']) })],
  ['kill-at', killAt],
  ['kill-at', killAt],
  ['restart', () => ({ kind: 'restart' })],
  ['faults', (dice) => ({ kind: 'faults', ms: dice.between(500, 6000), seed: dice.between(0, 1e6) })],
  [
    'hang',
    (dice) => ({ kind: 'hang', ms: dice.between(500, 6000), fault: dice.pick(['hang', 'hang-after']) }),
  ],
  ['resets', resets],
  ['resets', resets],
  ['setting', (dice) => ({ kind: 'setting', change: randomSetting(dice) })],
  ['setting', (dice) => ({ kind: 'setting', change: randomSetting(dice) })],
  ['reactors', (dice) => ({ kind: 'reactors', value: dice.between(1, 4) })],
  ['switch-off', (dice) => ({ kind: 'switch-off', ms: dice.between(100, 1500) })],
  ['disk-full', (dice) => ({ kind: 'disk-full', ms: dice.between(500, 3000) })],
  ['second-start', () => ({ kind: 'second-start' })],
];

/**
 * What is done to a gateway, without end: each kind once in an order of chance, and then whatever chance says. The seed
 * alone decides it, so that the same seed does the same again.
 */
export function* plan(seed: number): Generator<Step, never> {
  const dice = new Dice(seed);
  let hours = 0;
  const clock: Maker = () => {
    const to = dice.between(-MAX_OFFSET_HOURS, MAX_OFFSET_HOURS);
    const ms = (to - hours) * HOUR_MS;
    hours = to;
    return { kind: 'clock', ms };
  };
  const makers = [...MAKERS.map(([, make]) => make), clock, clock];
  const firsts = [...new Map(MAKERS).values(), clock];
  while (firsts.length > 0) {
    const [make] = firsts.splice(dice.between(0, firsts.length - 1), 1);
    yield { pauseMs: dice.between(50, 800), action: make!(dice) };
  }
  for (;;) yield { pauseMs: dice.between(50, 2000), action: dice.pick(makers)(dice) };
}

/** Steps that do each kind once. */
export const KINDS = new Set(MAKERS.map(([kind]) => kind)).size + 1;

/** An action in a few words. */
export function describeAction(action: Action): string {
  const { kind, ...rest } = action;
  return `${kind} ${JSON.stringify(rest)}`;
}

function killAt(dice: Dice): Action {
  const victim = dice.pick(['reactor', 'gateway'] as const);
  return { kind: 'kill-at', victim, moment: dice.pick(['before', 'half', 'inside', 'committed', 'after']) };
}

function resets(dice: Dice): Action {
  const side = dice.pick<ResetSide>(['client', 'server', 'both']);
  return { kind: 'resets', side, share: dice.between(20, 100) / 100, seed: dice.between(0, 1e6) };
}
