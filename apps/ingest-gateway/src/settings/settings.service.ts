import type { LiveValue, Logger } from '@activity-gateway/pipeline/api';
import { createLiveValue, type WritableLiveValue } from '@activity-gateway/pipeline/helpers';
import { SerialQueue } from '../agents/index.js';
import { readIfThere, type SettingsRepository, type StoreSnapshot } from '../store/index.js';
import { checkSettingName, checkSettingValue } from './check-setting.js';
import {
  flagSettings,
  isFlag,
  isSettingName,
  numberSettings,
  settingNames,
  type SettingName,
  type SettingsSnapshot,
} from './definitions.js';
import { viewFlag, viewNumber, type SettingSource, type SettingView } from './setting.view.js';

type Values = ReadonlyMap<SettingName, number | boolean>;

/**
 * Acts on settings before they are stored, and refuses them by rejecting. Gives what undoes it, for the case that they
 * cannot be stored.
 */
export type SettingsGuard = (next: SettingsSnapshot) => Promise<(() => Promise<void>) | undefined>;

/** Settings with their precedence: value in the store, then gateway.yaml, then the default. */
export class SettingsService implements StoreSnapshot {
  readonly #snapshot: WritableLiveValue<SettingsSnapshot>;
  /** A reload must not bring back what a change has replaced meanwhile. */
  readonly #changes = new SerialQueue();
  readonly #guards = new Set<SettingsGuard>();
  #stored: Values;
  #loaded: boolean;

  private constructor(
    private readonly repository: SettingsRepository,
    private readonly file: Values,
    private readonly logger: Logger,
    stored: Values | undefined,
  ) {
    this.#stored = stored ?? new Map();
    this.#loaded = stored !== undefined;
    this.#snapshot = createLiveValue(this.#compute(this.#stored));
  }

  /**
   * Reads the overrides. One that this version does not know, or whose value is out of its range, is logged and passed over.
   * Those of a store that is not there yet are missing, and the settings are not `loaded`.
   * @param file `settings:` of gateway.yaml
   * @throws GatewayError `SETTING_UNKNOWN` or `SETTING_INVALID` for a value of the file
   */
  static async load(
    repository: SettingsRepository,
    file: Readonly<Record<string, number | boolean>>,
    logger: Logger,
  ): Promise<SettingsService> {
    const fromFile = new Map<SettingName, number | boolean>();
    for (const [given, value] of Object.entries(file)) {
      const name = checkSettingName(given);
      fromFile.set(name, checkSettingValue(name, value, 'file'));
    }
    const stored = await readIfThere(() => repository.list());
    return new SettingsService(repository, fromFile, logger, stored && usable(stored, logger));
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  async reload(): Promise<void> {
    await this.#changes.run(async () => {
      const stored = usable(await this.repository.list(), this.logger);
      if (!sameValues(stored, this.#stored)) this.#replace(stored);
      this.#loaded = true;
    });
  }

  /** All values; replaced after each change. */
  get snapshot(): LiveValue<SettingsSnapshot> {
    return this.#snapshot;
  }

  /** Every setting with its value and where that comes from, in the order of the reference; flags come last. */
  list(): SettingView[] {
    return settingNames.map((name) => this.#view(name));
  }

  /** @throws GatewayError `SETTING_UNKNOWN` */
  get(name: string): SettingView {
    return this.#view(checkSettingName(name));
  }

  /** Has changes asked for before they are stored; returns what ends that. */
  guard(guard: SettingsGuard): () => void {
    this.#guards.add(guard);
    return () => this.#guards.delete(guard);
  }

  /**
   * Overrides a setting; when it resolves, the value is durable and has been told to all subscribers.
   * @throws GatewayError `SETTING_UNKNOWN` or `SETTING_INVALID`, or what a guard refuses with; nothing has changed then
   */
  async set(name: string, value: unknown): Promise<SettingView> {
    const known = checkSettingName(name);
    const checked = checkSettingValue(known, value, 'store');
    await this.#changes.run(() =>
      this.#change(new Map(this.#stored).set(known, checked), () => this.repository.set(known, checked)),
    );
    return this.#view(known);
  }

  /**
   * Takes an override away.
   * @returns whether there was one
   * @throws GatewayError `SETTING_UNKNOWN`, or what a guard refuses with; nothing has changed then
   */
  async reset(name: string): Promise<boolean> {
    const known = checkSettingName(name);
    return this.#changes.run(() => {
      const stored = new Map(this.#stored);
      stored.delete(known);
      return this.#change(stored, () => this.repository.delete(known));
    });
  }

  async #change<T>(stored: Values, store: () => Promise<T>): Promise<T> {
    const next = this.#compute(stored);
    const undo: (() => Promise<void>)[] = [];
    try {
      for (const guard of this.#guards) undo.push((await guard(next)) ?? nothing);
      const result = await store();
      this.#replace(stored, next);
      return result;
    } catch (error) {
      // What cannot be undone has told so itself; the first error is the one that the caller needs.
      for (const each of undo.reverse()) await each().catch(nothing);
      throw error;
    }
  }

  #replace(stored: Values, snapshot = this.#compute(stored)): void {
    this.#stored = stored;
    this.#snapshot.set(snapshot);
  }

  #view(name: SettingName): SettingView {
    const current = this.#snapshot.current;
    const source: SettingSource = this.#stored.has(name)
      ? 'store'
      : this.file.has(name)
        ? 'config'
        : 'default';
    return isFlag(name) ? viewFlag(name, current[name], source) : viewNumber(name, current[name], source);
  }

  #compute(stored: Values): SettingsSnapshot {
    const values = settingNames.map((name) => [
      name,
      stored.get(name) ?? this.file.get(name) ?? defaultOf(name),
    ]);
    return Object.freeze(Object.fromEntries(values)) as SettingsSnapshot;
  }
}

async function nothing(): Promise<void> {}

function sameValues(some: Values, others: Values): boolean {
  return some.size === others.size && [...some].every(([name, value]) => others.get(name) === value);
}

function defaultOf(name: SettingName): number | boolean {
  return { ...numberSettings, ...flagSettings }[name].default;
}

function usable(stored: ReadonlyMap<string, number | boolean>, logger: Logger): Values {
  const result = new Map<SettingName, number | boolean>();
  for (const [name, value] of stored) {
    if (!isSettingName(name)) {
      logger.warn({ setting: name }, 'Stored setting unknown to this version; ignored');
      continue;
    }
    try {
      result.set(name, checkSettingValue(name, value, 'store'));
    } catch (error) {
      logger.warn({ setting: name, err: error }, 'Stored setting out of range; ignored');
    }
  }
  return result;
}
