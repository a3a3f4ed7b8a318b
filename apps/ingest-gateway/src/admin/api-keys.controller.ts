import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import {
  apiKeyViewSchema,
  createApiKeySchema,
  exampleApiKey,
  newApiKeyViewSchema,
  type ApiKeyView,
  type CreateApiKeyBody,
  type NewApiKeyView,
} from './api-key.view.js';
import { ApiKeysAdmin } from './api-keys-admin.service.js';
import { AjvPipe } from './http/ajv.pipe.js';
import { FromCaller, type Caller } from './http/caller.js';

const tag = 'API keys';

/** Keys for this API, beside the installation's own admin key. */
@Controller('api/v1/api-keys')
export class ApiKeysController {
  constructor(@Inject(ApiKeysAdmin) private readonly keys: ApiKeysAdmin) {}

  /** A new key. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Make an API key',
    description: 'A viewer may send GET requests; an admin may do everything.',
    body: {
      schema: createApiKeySchema,
      example: { name: 'monitoring', role: 'viewer', expiresAt: '2027-11-20T00:00:00Z' },
    },
    answer: {
      status: 201,
      description: 'The key, this once.',
      schema: newApiKeyViewSchema,
      example: { key: `nak1.${'A'.repeat(43)}`, ...exampleApiKey, lastUsedAt: null },
    },
  })
  @Post()
  create(
    @FromCaller() caller: Caller,
    @Body(new AjvPipe<CreateApiKeyBody>(createApiKeySchema, 'body')) body: CreateApiKeyBody,
  ): Promise<NewApiKeyView> {
    return this.keys.create(caller, body);
  }

  /** All of them. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'List API keys',
    description: 'Oldest first, without their secrets. The admin key of the installation is not among them.',
    answer: {
      status: 200,
      description: 'The keys.',
      schema: listOf(apiKeyViewSchema),
      example: [exampleApiKey],
    },
  })
  @Get()
  list(): Promise<ApiKeyView[]> {
    return this.keys.list();
  }

  /** Ends one at once. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Revoke an API key',
    params: { id: { description: 'From the list of keys.', example: exampleApiKey.id } },
    answer: { status: 204, description: 'The key is no longer valid.' },
    errors: ['API_KEY_UNKNOWN'],
  })
  @Delete(':id')
  @HttpCode(204)
  revoke(@FromCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.keys.revoke(caller, id);
  }
}
