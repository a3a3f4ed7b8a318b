import { describe, expect, it } from '@jest/globals';
import { MongoNetworkError, MongoServerError } from 'mongodb';
import { openDatabase } from './mongodb-client.js';
import { isConnectivity, reasonOf } from './mongodb-errors.js';

describe('openDatabase', () => {
  it('names hosts, and never user or password', async () => {
    const { client, label } = openDatabase('mongodb://u:secret@db-1:27018,db-2/?replicaSet=rs', 'x');
    expect(label).toBe('db-1:27018, db-2:27017');
    await client.close();
  });

  it('writes to a majority and its journal, whatever the URI says', async () => {
    const uri =
      'mongodb://db/?w=1&journal=false&wtimeoutMS=9&readPreference=secondary&readConcernLevel=local';
    const { client, database } = openDatabase(uri, 'x');
    expect({ ...database().writeConcern }).toEqual({ w: 'majority', j: true, journal: true });
    expect(database().readPreference.mode).toBe('primary');
    expect(database().readConcern?.level).toBe('majority');
    await client.close();
  });

  it('waits for the journal of a standalone server in the way that it honours, for as long as it is one', async () => {
    const { client, database } = openDatabase('mongodb://db', 'x');
    const becomes = (...types: string[]): unknown => {
      const servers = new Map(types.map((type, index) => [String(index), { type }]));
      client.emit('topologyDescriptionChanged', { newDescription: { servers } } as never);
      return database().writeConcern?.w;
    };
    expect(becomes('Unknown')).toBe('majority');
    expect(becomes('Standalone')).toBe(1);
    expect(becomes('Unknown')).toBe(1);
    expect({ ...database().writeConcern }).toEqual({ w: 1, j: true, journal: true });
    expect(database().readConcern?.level).toBe('majority');
    expect(becomes('RSPrimary', 'RSSecondary')).toBe('majority');
    expect(becomes('RSSecondary', 'Unknown')).toBe('majority');
    await client.close();
  });

  it.each([
    'mongodb://u:se:cret@db',
    'mongodb://u:secret@db:port',
    'mongodb://u:secret@',
    'mongodb://u:secret@db/?noSuchOption=1',
    'mongodb://u:secret@db/?w=-1&tls=perhaps',
    'mongodb://u:secret@a,b/?directConnection=true',
  ])('refuses %s without showing it', (uri) => {
    let error: unknown;
    try {
      openDatabase(uri, 'x');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'STORE_URI_INVALID' });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('cret');
  });
});

describe('reasonOf', () => {
  it('shows nothing of documents and addresses with passwords', () => {
    const refused = new MongoServerError({
      message: 'not authorized on db to execute command { update: "agents", q: { _id: "hash" } }',
      code: 13,
      codeName: 'Unauthorized',
    });
    expect(reasonOf(refused)).toBe('it answers Unauthorized (13)');
    expect(isConnectivity(refused)).toBe(false);
    expect(reasonOf(new Error('no way to mongodb://u:p@ss@db/x\n at y'))).toBe(
      'no way to mongodb://db/x at y',
    );
  });

  it('tells a server that is not there from one that refuses', () => {
    expect(isConnectivity(new MongoNetworkError('connect ECONNREFUSED'))).toBe(true);
    expect(isConnectivity(new MongoServerError({ message: 'x', code: 10_107 }))).toBe(true);
    expect(isConnectivity(new TypeError('x'))).toBe(false);
  });
});
