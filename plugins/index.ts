import type { PluginDefinition } from '@activity-gateway/pipeline/api';
import { copilotParser } from './parsers/copilot/index.js';
import { leefParser } from './parsers/leef/index.js';
import { sharepointParser } from './parsers/sharepoint/index.js';
import { smbParser } from './parsers/smb/index.js';
import { clickhouseSink } from './sinks/clickhouse/index.js';
import { ndjsonFileSink } from './sinks/ndjson-file/index.js';
import { nullSink } from './sinks/null/index.js';
import { namTlsSource } from './sources/nam-tls/index.js';

/** Every plugin that pipelines may use. To add one: an import and an entry here; the contract suite checks the rest. */
export const plugins: readonly PluginDefinition[] = [
  namTlsSource,
  smbParser,
  sharepointParser,
  copilotParser,
  leefParser,
  clickhouseSink,
  ndjsonFileSink,
  nullSink,
];
