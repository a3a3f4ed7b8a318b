import type { EventType } from '../api/index.js';
import type { PluginPackage } from '../registry/index.js';

/** One plugin of a pipeline. */
export interface StepSpec {
  /** Name inside the pipeline, unique; the part of the plugin id after the dot by default. */
  readonly name: string;
  /** Plugin id. */
  readonly use: string;
  /** The plugin's own options: validated against its schema, defaults applied. */
  readonly with: Readonly<Record<string, unknown>>;
}

/** A pipeline's queue on disk. */
export interface SpoolSpec {
  readonly enabled: boolean;
  /** Bytes of disk that what waits may take, over all reactors; reached = sources pause. */
  readonly maxBytes: number;
  /** Bytes of the file system that stay free; reached = sources pause. */
  readonly diskReserveBytes: number;
}

/** A pipeline as its YAML file says it, validated, with every default applied. */
export interface PipelineSpec {
  readonly name: string;
  readonly source: StepSpec;
  readonly steps: readonly StepSpec[];
  readonly sinks: readonly StepSpec[];
  /** Name of the sink that takes rejected events; the first sink by default. */
  readonly deadLetters: string;
  readonly buffer: {
    /** Raw bytes held at once; reached = sources pause. */
    readonly maxBytes: number;
    /** Where encoded entries wait for the sinks; in memory without it. */
    readonly spool?: SpoolSpec;
  };
}

/** Process settings as `gateway.yaml` says them, validated, with every default applied. */
export interface GatewayConfig {
  /** Absolute path. */
  readonly dataDir: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Networks in CIDR form of the proxies whose `X-Forwarded-For` names the client. */
    readonly trustedProxies: readonly string[];
    /** Hosts that requests may name, beside those of this machine and `host`. */
    readonly allowedHosts: readonly string[];
  };
  readonly admin: { readonly apiKey?: string };
  readonly listener: {
    /** Address of the listener. */
    readonly host: string;
    readonly tls: { readonly certPath?: string; readonly keyPath?: string };
    /** Connections that one key may have at once. */
    readonly maxConnectionsPerKey: number;
    /** Networks in CIDR form whose addresses are neither banned nor slowed. */
    readonly neverBan: readonly string[];
  };
  /** Where settings, known keys and tokens are kept. The URI holds a password: never show it. */
  readonly store:
    | { readonly use: 'embedded' }
    | { readonly use: 'mongodb'; readonly uri: string; readonly database: string };
  readonly clickhouse: {
    /** A server of the user's; without it the embedded one is started. */
    readonly url?: string;
    readonly username: string;
    readonly password: string;
    readonly database: string;
    /** Port of the embedded server, 0 = any free one. */
    readonly httpPort: number;
    /** A user of the embedded server for people's own queries. */
    readonly reader?: { readonly username: string; readonly passwordFile?: string };
    /** Days that events are kept; 0 = no TTL. */
    readonly retentionDays: number;
    /** The same for dead letters. */
    readonly deadLetterRetentionDays: number;
    /** More dead letters than these call for a person. */
    readonly deadLetterAlert: { readonly rows: number; readonly bytes: number };
  };
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'auto' | 'json' | 'pretty';
  };
  /** Values for settings by their reference names, below the store and above the defaults. */
  readonly settings: Readonly<Record<string, number | boolean>>;
  /** Packages that bring plugins which do not ship with the program. */
  readonly plugins: readonly PluginPackage[];
  readonly pipelines: readonly PipelineSpec[];
  /** What the loaded plugins produce, whether a pipeline uses them or not; without the dead letters. */
  readonly eventTypes: readonly EventType[];
}

/** One thing that is wrong in a configuration file. */
export interface ConfigProblem {
  /** As given or found, relative to the working directory where that is shorter. */
  readonly file: string;
  /** From 1; 0 when the file could not be read. */
  readonly line: number;
  readonly column: number;
  /** From `docs/reference/errors.md`. */
  readonly code: string;
  /** What is wrong, with the path of the key. */
  readonly message: string;
  /** What would be right, such as the nearest known name. */
  readonly hint?: string;
}
