import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigFiles, placeAndCode, removeConfigFiles } from '../testing/config-files.js';

const load = (text: string, env: NodeJS.ProcessEnv = {}): ReturnType<ConfigFiles['load']> =>
  new ConfigFiles({ 'gateway.yaml': text }).load(env);
afterEach(removeConfigFiles);

const FROM_ENVIRONMENT = 'store:\n  use: ${GATEWAY_STORE:-embedded}\n  uri: ${MONGODB_URI:-}\n';

describe('the store section', () => {
  it('takes a MongoDB, its database by default', () => {
    const { config, problems } = load(FROM_ENVIRONMENT, {
      GATEWAY_STORE: 'mongodb',
      MONGODB_URI: 'mongodb+srv://u:p%40ss@db.example.com/?replicaSet=rs',
    });
    expect(problems).toEqual([]);
    expect(config?.store).toEqual({
      use: 'mongodb',
      uri: 'mongodb+srv://u:p%40ss@db.example.com/?replicaSet=rs',
      database: 'activity_gateway',
    });
  });

  it('is the embedded one by default, also where a URI is at hand', () => {
    expect(load(FROM_ENVIRONMENT).config?.store).toEqual({ use: 'embedded' });
    expect(load(FROM_ENVIRONMENT, { MONGODB_URI: 'mongodb://db' }).config?.store).toEqual({
      use: 'embedded',
    });
  });

  it('needs a URI for mongodb', () => {
    const { problems } = load('store: { use: mongodb }\n');
    expect(problems.map(placeAndCode)).toEqual(['gateway.yaml:1:1 CONFIG_MISSING_KEY']);
    expect(problems[0]).toMatchObject({
      message: '`store.uri` is missing.',
      hint: expect.stringContaining('Connection string'),
    });
  });

  it.each([
    ['the text', 'store: { use: mongodb, uri: "postgres://u:secret@db/x" }\n', {}],
    ['the variable', FROM_ENVIRONMENT, { GATEWAY_STORE: 'mongodb', MONGODB_URI: 'u:secret@db' }],
  ])('never shows what a wrong URI holds: %s', (_, text, env) => {
    const { problems } = load(text, env);
    expect(problems.map(({ code }) => code)).toEqual(['CONFIG_WRONG_FORMAT']);
    expect(JSON.stringify(problems)).not.toContain('secret');
    expect(problems[0]?.message).toContain('such as "mongodb://');
  });

  it.each([
    ['use: mongo, uri: "mongodb://db"', 'CONFIG_UNKNOWN_VALUE', 'Did you mean "mongodb"?'],
    ['use: mongodb, uri: "mongodb://db", databse: x', 'CONFIG_UNKNOWN_KEY', 'Did you mean "database"?'],
    ['use: mongodb, uri: "mongodb://db", database: a.b', 'CONFIG_WRONG_FORMAT', 'Database of the MongoDB'],
  ])('says what is wrong with { %s }', (section, code, hint) => {
    const { problems } = load(`store: { ${section} }\n`);
    expect(problems).toMatchObject([{ code, hint: expect.stringContaining(hint) }]);
  });
});
