import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A user that a test adds to an embedded server. */
export interface TestUser {
  readonly name: string;
  /** None: everybody is this user who says so. */
  readonly password: string;
  /** 1 = may only read. */
  readonly readonly?: 0 | 1;
}

/** Who a test asks the embedded server of a gateway as. */
export const TEST_USER: TestUser = { name: 'tests', password: 'tests' };

/** The header with which `TEST_USER` is let in. */
export const TEST_AUTHORIZATION = `Basic ${Buffer.from(`${TEST_USER.name}:${TEST_USER.password}`).toString('base64')}`;

/** Lets `TEST_USER` into an embedded server that starts later, and nobody else. @param directory of the server's files */
export async function letTestsIn(directory: string): Promise<void> {
  const rule = `<rule_tests><headers><Authorization>${TEST_AUTHORIZATION}</Authorization></headers>
<handler><type>dynamic_query_handler</type><query_param_name>query</query_param_name></handler></rule_tests>`;
  await writeAdditions(directory, `<http_handlers>${rule}</http_handlers>`, [TEST_USER]);
}

/**
 * Makes an embedded server that starts later like one of a user's: it answers everybody, and `default` may do everything
 * without a password. `TEST_USER` may too. @param users further ones
 */
export async function openToAll(directory: string, users: readonly TestUser[] = []): Promise<void> {
  const handlers = '<http_handlers replace="1"><defaults/></http_handlers>';
  await writeAdditions(directory, handlers, [{ name: 'default', password: '' }, TEST_USER, ...users]);
}

/** The server merges what lies in `config.d` and `users.d` beside its own files into them. */
async function writeAdditions(
  directory: string,
  handlers: string,
  users: readonly TestUser[],
): Promise<void> {
  const everywhere = '<networks><ip>::/0</ip></networks><quota>default</quota>';
  const entries = users.map(
    ({ name, password, readonly = 0 }) =>
      `<${name} replace="1"><password>${password}</password><profile>readonly_${readonly}</profile>${everywhere}</${name}>`,
  );
  const profiles = `<profiles><readonly_0/><readonly_1><readonly>1</readonly></readonly_1></profiles>`;
  await write(directory, 'config.d', handlers);
  await write(directory, 'users.d', `${profiles}<users>${entries.join('')}</users>`);
}

async function write(directory: string, folder: string, content: string): Promise<void> {
  await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
  await writeFile(join(directory, folder, 'tests.xml'), `<clickhouse>${content}</clickhouse>`);
}
