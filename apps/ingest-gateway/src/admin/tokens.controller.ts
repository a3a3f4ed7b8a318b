import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { tokenOptionsSchema, type TokenOptions } from '../enrollment/index.js';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import { AjvPipe } from './http/ajv.pipe.js';
import { FromCaller, type Caller } from './http/caller.js';
import {
  exampleToken,
  newTokenViewSchema,
  tokenViewSchema,
  type NewTokenView,
  type TokenView,
} from './token.view.js';
import { TokensAdmin } from './tokens-admin.service.js';

const tag = 'Enrollment';

/** Enrollment tokens. */
@Controller('api/v1/nam-listener')
export class TokensController {
  constructor(@Inject(TokensAdmin) private readonly tokens: TokensAdmin) {}

  /** A new token. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Make an enrollment token',
    description:
      'Without a body: valid for an hour, for any number of agents, and every earlier token ends with it.',
    body: {
      required: false,
      schema: tokenOptionsSchema,
      example: { name: 'Berlin rollout', lifetimeSeconds: 86_400, maxUses: 25, keepOthers: true },
    },
    answer: {
      status: 201,
      description: 'The token, this once.',
      schema: newTokenViewSchema,
      example: { token: `nam1.${'A'.repeat(43)}.${'5'.repeat(64)}`, ...exampleToken, uses: 0 },
    },
    errors: ['INGESTION_DISABLED', 'LISTENER_NOT_READY'],
  })
  @Post('enrollment-token')
  create(
    @FromCaller() caller: Caller,
    @Body(new AjvPipe<TokenOptions>(tokenOptionsSchema, 'body')) options: TokenOptions,
  ): Promise<NewTokenView> {
    return this.tokens.create(caller, options);
  }

  /** All that are remembered. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'List enrollment tokens',
    description: 'Newest first, without their secrets; ended ones for a week after their end.',
    answer: {
      status: 200,
      description: 'The tokens.',
      schema: listOf(tokenViewSchema),
      example: [exampleToken],
    },
  })
  @Get('enrollment-tokens')
  list(): Promise<TokenView[]> {
    return this.tokens.list();
  }

  /** Ends one. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Revoke an enrollment token',
    params: { id: { description: 'From the list of tokens.', example: exampleToken.id } },
    answer: { status: 204, description: 'The token is no longer valid.' },
    errors: ['TOKEN_UNKNOWN'],
  })
  @Delete('enrollment-tokens/:id')
  @HttpCode(204)
  revoke(@FromCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.tokens.revoke(caller, id);
  }
}
