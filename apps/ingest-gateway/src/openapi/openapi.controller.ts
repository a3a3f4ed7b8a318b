import { Controller, Get, Header, Inject, NotFoundException, Param, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { RouteAccess } from '../admin/http/route-access.js';
import { ApiDocument } from './api-document.js';
import { Doc } from './doc.decorator.js';
import { PAGE, PAGE_POLICY, pageFile } from './page.js';

const tag = 'Documentation';

/** The description of the API, and a page to browse it that needs nothing from elsewhere. No key is needed. */
@Controller('api')
export class OpenApiController {
  constructor(@Inject(ApiDocument) private readonly document: ApiDocument) {}

  /** The description. */
  @Doc({
    tag,
    access: 'open',
    summary: 'Describe the API',
    answer: { status: 200, description: 'OpenAPI 3.1.', schema: { type: 'object' } },
  })
  @Get('openapi.json')
  describe(): OpenAPIObject {
    return this.document.current;
  }

  /** The page. */
  @Doc({
    tag,
    access: 'open',
    summary: 'Browse the API',
    answer: { status: 200, description: 'A page.', schema: { type: 'string' }, mediaType: 'text/html' },
  })
  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', PAGE_POLICY)
  page(): string {
    return PAGE;
  }

  /** What the page loads. */
  @ApiExcludeEndpoint()
  @RouteAccess('open')
  @Get('docs/:file')
  async file(@Param('file') name: string, @Res() reply: FastifyReply): Promise<void> {
    const file = await pageFile(name);
    if (file === undefined) throw new NotFoundException('The page has no such file.');
    await reply.type(file.mediaType).send(file.content);
  }
}
