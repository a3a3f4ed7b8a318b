import { Injectable, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { EventType } from '@activity-gateway/pipeline/api';
import { activitySchemas } from '../admin/activity.schema.js';
import { componentSchemas } from './component.js';

const DESCRIPTION = `Settings, enrollment, agents, bans, keys and the audit trail of the gateway, and a look at what is stored.

Everything under \`/api\` but this document needs a key: the installation's admin key, or one made with \`POST /api/v1/api-keys\`.
Errors have one shape (\`Problem\`, RFC 9457); \`docs/reference/errors.md\` explains every code.`;

/** The description of the API as OpenAPI 3.1, read off the routes themselves. */
@Injectable()
export class ApiDocument {
  #build: (() => OpenAPIObject) | undefined;
  #current: OpenAPIObject | undefined;

  /**
   * Made when it is asked for: to read all routes takes 80 ms, which a start would wait for.
   * @throws Error before `describe`
   */
  get current(): OpenAPIObject {
    if (this.#build === undefined) throw new Error('Nothing has been described.');
    return (this.#current ??= this.#build());
  }

  /** Says which application's routes and types of events it describes; to be called once, when they are known. */
  describe(app: INestApplication, version: string, eventTypes: readonly EventType[]): void {
    this.#build = () => documentOf(app, version, eventTypes);
  }
}

function documentOf(app: INestApplication, version: string, eventTypes: readonly EventType[]): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Activity ingest gateway')
    .setDescription(DESCRIPTION)
    .setVersion(version)
    .addBearerAuth({ type: 'http', scheme: 'bearer' })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '')}.${method}`,
  });
  const schemas = {
    ...document.components?.schemas,
    ...componentSchemas(),
    ...activitySchemas(eventTypes),
  };
  return { ...document, components: { ...document.components, schemas } };
}
