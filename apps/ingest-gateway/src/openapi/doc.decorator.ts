import { STATUS_CODES } from 'node:http';
import { applyDecorators, SetMetadata } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { statusOfCode } from '../admin/http/problem.js';
import { type Access, RouteAccess } from '../admin/http/route-access.js';
import { component, shape, type SchemaRef } from './component.js';
import { exampleProblem, type DocumentedCode } from './problem-examples.js';

/** What the document says of an answer. */
export interface AnswerDoc {
  readonly status: number;
  readonly description: string;
  /** Absent = an answer without a body. */
  readonly schema?: JsonSchema | SchemaRef;
  readonly example?: unknown;
  /** JSON by default. */
  readonly mediaType?: string;
}

/** What the document says of a route. */
export interface RouteDoc {
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly answer: AnswerDoc;
  /** Answers of other statuses that are no problems. */
  readonly otherAnswers?: readonly AnswerDoc[];
  readonly body?: {
    readonly schema: JsonSchema;
    readonly example: unknown;
    /** True by default. */
    readonly required?: boolean;
  };
  /** Path parameters by name. */
  readonly params?: Readonly<Record<string, { readonly description: string; readonly example: string }>>;
  /** Closed schema of the query. */
  readonly query?: JsonSchema;
  /** Problems of this route beside those that every route of its kind has. */
  readonly errors?: readonly DocumentedCode[];
  /** Who may use it: what the document says, and what is asked for. */
  readonly access: Access;
  /** Set for routes that answer under any host and however many requests there are. */
  readonly unlimited?: true;
}

/** The one shape of every error answer. */
export const problemSchema = component(
  'Problem',
  shape({
    type: { type: 'string', description: 'URN of the kind of problem, made of its code.' },
    title: { type: 'string', description: "The status's own phrase." },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What was wrong and, where it is known, what would be right.' },
    instance: { type: 'string', description: 'Path of the request.' },
    code: { type: 'string', description: 'Stable, for programs; docs/reference/errors.md explains each.' },
  }),
);

const TAKES_QUERY = 'gateway:takes-query';

/** Whether a route, by the method that serves it, takes query parameters. */
export function takesQuery(handler: object): boolean {
  return Reflect.getMetadata(TAKES_QUERY, handler) === true;
}

/** Says what a route does, takes and answers, every problem it can answer with, and who may use it. */
export function Doc(route: RouteDoc): MethodDecorator {
  const { tag, summary, description = '' } = route;
  return applyDecorators(
    RouteAccess(route.access, route.unlimited),
    ...(route.query === undefined ? [] : [SetMetadata(TAKES_QUERY, true)]),
    ApiTags(tag),
    ApiOperation({ summary, description }),
    ...Object.entries(route.params ?? {}).map(([name, param]) =>
      ApiParam({
        name,
        description: param.description,
        schema: { type: 'string', examples: [param.example] },
      }),
    ),
    ...queryParameters(route.query),
    ...(route.body === undefined ? [] : [requestBody(route.body)]),
    ...[route.answer, ...(route.otherAnswers ?? [])].map(answer),
    ...problems(route),
    ...(route.access === 'open' ? [] : [ApiBearerAuth()]),
  );
}

function queryParameters(query: JsonSchema | undefined): MethodDecorator[] {
  const properties = (query?.['properties'] ?? {}) as Readonly<
    Record<string, JsonSchema & { readonly description?: string }>
  >;
  return Object.entries(properties).map(([name, { description, ...schema }]) =>
    ApiQuery({ name, required: false, description: description ?? '', schema }),
  );
}

function requestBody({ schema, example, required = true }: NonNullable<RouteDoc['body']>): MethodDecorator {
  return ApiBody({ required, schema, examples: { typical: { value: example } } });
}

function answer({ status, description, schema, example, mediaType }: AnswerDoc): MethodDecorator {
  if (schema === undefined) return ApiResponse({ status, description });
  const examples = example === undefined ? {} : { examples: { typical: { value: example } } };
  return ApiResponse({
    status,
    description,
    content: { [mediaType ?? 'application/json']: { schema, ...examples } },
  });
}

/** Problems that have one status share a response; each is an example of it. */
function problems(route: RouteDoc): MethodDecorator[] {
  const byStatus = new Map<number, DocumentedCode[]>();
  for (const code of codesOf(route)) {
    const status = statusOfCode(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return [...byStatus].map(([status, codes]) =>
    ApiResponse({
      status,
      description: `${STATUS_CODES[status] ?? 'Error'}: ${codes.join(', ')}.`,
      content: {
        'application/problem+json': {
          schema: problemSchema,
          examples: Object.fromEntries(codes.map((code) => [code, { value: exampleProblem(code) }])),
        },
      },
    }),
  );
}

function codesOf({ access, body, unlimited, errors = [] }: RouteDoc): Set<DocumentedCode> {
  const codes: DocumentedCode[] = ['BAD_REQUEST', 'INTERNAL_SERVER_ERROR', ...errors];
  if (unlimited === undefined) codes.push('MISDIRECTED_REQUEST', 'TOO_MANY_REQUESTS');
  if (access !== 'open') codes.push('UNAUTHORIZED', 'STORE_UNAVAILABLE');
  if (access === 'admin') codes.push('FORBIDDEN');
  if (body !== undefined) codes.push('PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE');
  return new Set(codes);
}
