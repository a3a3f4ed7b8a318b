import { randomUUID } from 'node:crypto';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { codeOfStatus, createProblem, PROBLEM_TYPE, problemOf, type Problem } from './problem.js';

/** Turns whatever a request fails with into a problem. What is not for users is logged under an id and not shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  /** Answers unless an answer has begun. */
  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) return;
    sendProblem(reply, this.#problem(exception, request));
  }

  #problem(exception: unknown, request: FastifyRequest): Problem {
    if (exception instanceof GatewayError) {
      const problem = problemOf(exception, request.url);
      if (problem.status >= 500) this.logger.warn({ err: exception }, 'Failed to serve a request');
      return problem;
    }
    const status = statusOf(exception);
    if (status !== undefined && status < 500) {
      return createProblem(status, codeOfStatus(status), (exception as Error).message, request.url);
    }
    return this.#unexpected(exception, request, status ?? 500);
  }

  #unexpected(exception: unknown, request: FastifyRequest, status: number): Problem {
    const errorId = randomUUID();
    this.logger.error(
      { errorId, method: request.method, err: exception },
      'Failed to serve a request; unexpected error',
    );
    const detail = `The gateway failed. Its log says more under the error id ${errorId}.`;
    return createProblem(status, codeOfStatus(status), detail, request.url);
  }
}

/** When it is worth asking again, seconds: what is not available is looked for each second. */
const RETRY_AFTER = '2';

/** Answers with a problem; one that passes by itself says when to try again. */
export function sendProblem(reply: FastifyReply, problem: Problem): void {
  if (problem.status === 503) void reply.header('retry-after', RETRY_AFTER);
  void reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

/** Nest's exceptions and Fastify's errors carry a status. */
function statusOf(exception: unknown): number | undefined {
  if (exception instanceof HttpException) return exception.getStatus();
  const { statusCode } = (exception ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : undefined;
}
