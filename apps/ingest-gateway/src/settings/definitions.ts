/** A setting with a number, as the reference documentation defines it. */
export interface NumberSetting {
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly unit: 'port' | 'connections' | 'seconds' | 'threads' | 'events' | 'rows' | 'jobs' | 'bytes';
  readonly description: string;
}

/** A setting that is on or off. */
export interface FlagSetting {
  readonly default: boolean;
  readonly description: string;
}

/** The settings of the reference by name. All are integers; ranges include both ends; a change acts at once. */
export const numberSettings = {
  activitymonitor_tcp_port: {
    default: 1514,
    minimum: 1,
    maximum: 65_535,
    unit: 'port',
    description: 'TCP port that agents connect to.',
  },
  activitymonitor_max_connections: {
    default: 100,
    minimum: 10,
    maximum: 1_000,
    unit: 'connections',
    description: 'Agent connections at a time; more are refused before any TLS work.',
  },
  activitymonitor_connection_timeout: {
    default: 900,
    minimum: 5,
    maximum: 3_600,
    unit: 'seconds',
    description: 'Inactivity after which an agent connection is closed.',
  },
  activitymonitor_reactor_threads: {
    default: 0,
    minimum: 0,
    maximum: 32,
    unit: 'threads',
    description: 'Processes that handle connections and events; 0 = one for each core.',
  },
  activitymonitor_buffer_threads: {
    default: 8,
    minimum: 1,
    maximum: 16,
    unit: 'threads',
    description: 'Writes to ClickHouse at a time.',
  },
  activitymonitor_buffer_max_size: {
    default: 10_000,
    minimum: 1_000,
    maximum: 500_000,
    unit: 'events',
    description: 'Events held in memory at once; when they are reached, agents are slowed down.',
  },
  activitymonitor_batch_size: {
    default: 100,
    minimum: 10,
    maximum: 1_000,
    unit: 'events',
    description: 'Events of one processing batch.',
  },
  activitymonitor_batch_interval_seconds: {
    default: 10,
    minimum: 1,
    maximum: 60,
    unit: 'seconds',
    description: 'The longest that an event waits for its write to ClickHouse to begin.',
  },
  activitymonitor_clickhouse_batch_size: {
    default: 10_000,
    minimum: 1_000,
    maximum: 100_000,
    unit: 'rows',
    description: 'Rows of one write to ClickHouse.',
  },
  activitymonitor_max_concurrent_jobs: {
    default: 3,
    minimum: 1,
    maximum: 10,
    unit: 'jobs',
    description: 'Processing batches at a time.',
  },
  activitymonitor_enrollment_first_message_timeout_seconds: {
    default: 10,
    minimum: 5,
    maximum: 60,
    unit: 'seconds',
    description: 'Time that a new connection has for the TLS handshake and its first message.',
  },
  activitymonitor_enrollment_ban_duration_seconds: {
    default: 10,
    minimum: 5,
    maximum: 300,
    unit: 'seconds',
    description: 'Time that a source address is refused after a protocol violation.',
  },
  activitymonitor_max_message_size: {
    default: 16_777_216,
    minimum: 65_536,
    maximum: 67_108_864,
    unit: 'bytes',
    description: 'Longest message of an agent; a longer one ends its connection.',
  },
  activitymonitor_shutdown_drain_timeout_seconds: {
    default: 300,
    minimum: 10,
    maximum: 3_600,
    unit: 'seconds',
    description: 'Time for writing buffered events to ClickHouse at a graceful stop.',
  },
} as const satisfies Readonly<Record<string, NumberSetting>>;

/** The feature flags of the reference by name. */
export const flagSettings = {
  enable_activitymonitor_ingestion: {
    default: true,
    description: 'Whether agents are served at all.',
  },
} as const satisfies Readonly<Record<string, FlagSetting>>;

/** Name of a setting with a number. */
export type NumberSettingName = keyof typeof numberSettings;
/** Name of a flag. */
export type FlagSettingName = keyof typeof flagSettings;
/** Name of any setting. */
export type SettingName = NumberSettingName | FlagSettingName;
/** A value of every setting at one time. */
export type SettingsSnapshot = Readonly<Record<NumberSettingName, number>> &
  Readonly<Record<FlagSettingName, boolean>>;

/** All names, in the order of the reference. */
export const settingNames = [...Object.keys(numberSettings), ...Object.keys(flagSettings)] as SettingName[];

/** Whether a text names a setting. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(numberSettings, name) || Object.hasOwn(flagSettings, name);
}

/** Whether a setting is a flag. */
export function isFlag(name: SettingName): name is FlagSettingName {
  return Object.hasOwn(flagSettings, name);
}
