import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { specRegistry, specSettings } from '../testing/config-files.js';
import { generateConfigSchemas } from './generate-schemas.js';

const schemas = generateConfigSchemas(specRegistry, specSettings);
const ajv = new Ajv({ strict: false });
const gateway = ajv.compile(schemas['gateway.schema.json']);
const pipeline = ajv.compile(schemas['pipeline.schema.json']);
const pipelineWith = (sink: object): object => ({
  name: 'a',
  source: { use: 'sources.nam_tls' },
  steps: [{ use: 'parsers.smb', with: { max_event_age: '${DAYS}d' } }],
  sinks: [sink],
});

describe('generateConfigSchemas', () => {
  it('takes a value or a variable where a number, a flag or one of a list belongs', () => {
    expect(gateway({ http: { port: 1 }, log: { level: 'info' } })).toBe(true);
    expect(gateway({ http: { port: '${P:-1}' }, log: { level: '${L}' }, clickhouse: { url: '${U}' } })).toBe(
      true,
    );
    expect(gateway({ settings: { enable_activitymonitor_ingestion: '${F}' } })).toBe(true);
    expect(gateway({ http: { port: 'x' } })).toBe(false);
    expect(gateway({ log: { level: 'inof' } })).toBe(false);
    expect(gateway({ settings: { unknown: 1 } })).toBe(false);
  });

  it('checks options by the plugin that `use` names', () => {
    expect(pipeline(pipelineWith({ use: 'sinks.file', with: { path: 'x' } }))).toBe(true);
    expect(pipeline(pipelineWith({ use: 'sinks.clickhouse', with: { level: '${L}' } }))).toBe(true);
    expect(pipeline(pipelineWith({ use: 'sinks.file', with: { level: 1 } }))).toBe(false);
    expect(pipeline(pipelineWith({ use: 'sinks.clickhouse', with: { level: 10 } }))).toBe(false);
    expect(pipeline(pipelineWith({ use: 'parsers.smb' }))).toBe(false);
  });

  it('keeps descriptions and defaults where editors look for them', () => {
    const { properties } = schemas['gateway.schema.json'] as never as {
      properties: { http: { properties: { port: object } } };
    };
    expect(properties.http.properties.port).toMatchObject({
      description: expect.any(String),
      default: 8080,
      anyOf: [{ type: 'integer', minimum: 0, maximum: 65_535 }, { type: 'string' }],
    });
  });
});
