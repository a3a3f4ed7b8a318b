import type { LiveValue, Logger } from '@app/pipeline/api';
import { createLiveValue, type WritableLiveValue } from '@app/pipeline/helpers';
import { SerialQueue } from '../agents/index.js';
import { readIfThere, type SettingsRepository, type StoreSnapshot } from '../store/index.js';
import { checkSettingName, checkSettingValue } from './check-setting.js';
import {
  flagSettings,
  isSettingName,
  numberSettings,
  settingNames,
  type SettingName,
  type SettingsSnapshot,
} from './definitions.js';

/** What a setting is and why. */
export interface SettingView {
  readonly name: SettingName;
  readonly value: number | boolean;
  readonly default: number | boolean;
  /** `store`: set over the API; `file`: from gateway.yaml. */
  readonly origin: 'store' | 'file' | 'default';
}

type Values = ReadonlyMap<SettingName, number | boolean>;

/** Settings with their precedence: value in the store, then gateway.yaml, then the default. */
export class SettingsService implements StoreSnapshot {
  readonly #snapshot: WritableLiveValue<SettingsSnapshot>;
  /** A reload must not bring back what a change has replaced meanwhile. */
  readonly #changes = new SerialQueue();
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
    this.#snapshot = createLiveValue(this.#compute());
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

  /** Every setting with its value and where that comes from, in the order of the reference. */
  list(): SettingView[] {
    return settingNames.map((name) => ({
      name,
      value: this.#snapshot.current[name],
      default: defaultOf(name),
      origin: this.#stored.has(name) ? 'store' : this.file.has(name) ? 'file' : 'default',
    }));
  }

  /**
   * Overrides a setting; when it resolves, the value is durable and has been told to all subscribers.
   * @throws GatewayError `SETTING_UNKNOWN` or `SETTING_INVALID`
   */
  async set(name: string, value: unknown): Promise<void> {
    const known = checkSettingName(name);
    const checked = checkSettingValue(known, value, 'store');
    await this.#changes.run(async () => {
      await this.repository.set(known, checked);
      this.#replace(new Map(this.#stored).set(known, checked));
    });
  }

  /**
   * Takes an override away.
   * @returns whether there was one
   * @throws GatewayError `SETTING_UNKNOWN`
   */
  async reset(name: string): Promise<boolean> {
    const known = checkSettingName(name);
    return this.#changes.run(async () => {
      const existed = await this.repository.delete(known);
      const stored = new Map(this.#stored);
      stored.delete(known);
      this.#replace(stored);
      return existed;
    });
  }

  #replace(stored: Values): void {
    this.#stored = stored;
    this.#snapshot.set(this.#compute());
  }

  #compute(): SettingsSnapshot {
    const values = settingNames.map((name) => [
      name,
      this.#stored.get(name) ?? this.file.get(name) ?? defaultOf(name),
    ]);
    return Object.freeze(Object.fromEntries(values)) as SettingsSnapshot;
  }
}

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
      logger.warn({ setting: name }, 'A stored setting is unknown to this version and passed over.');
      continue;
    }
    try {
      result.set(name, checkSettingValue(name, value, 'store'));
    } catch (error) {
      logger.warn({ setting: name, err: error }, 'A stored setting is out of its range and passed over.');
    }
  }
  return result;
}
