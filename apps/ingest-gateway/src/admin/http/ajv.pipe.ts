import type { PipeTransform } from '@nestjs/common';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { closest } from 'fastest-levenshtein';
import { GatewayError, type JsonSchema } from '@activity-gateway/pipeline/api';

const ajv = new Ajv({ strict: true, allErrors: true, verbose: true });

/** Lets a body or a query pass only when it fits a closed JSON schema. */
export class AjvPipe<T> implements PipeTransform<unknown, T> {
  #compiled: ValidateFunction | undefined;

  constructor(
    private readonly schema: JsonSchema,
    private readonly part: 'body' | 'query',
  ) {}

  /** @throws GatewayError `BAD_REQUEST`, which names every field or parameter that is wrong */
  transform(value: unknown): T {
    // Not before: all of them take 110 ms, which a start would wait for.
    const validate = (this.#compiled ??= ajv.compile(this.schema));
    if (validate(value ?? {})) return (value ?? {}) as T;
    const known = Object.keys(this.schema['properties'] ?? {});
    const problems = (validate.errors ?? []).map((error) => this.#describe(error, known));
    throw new GatewayError('BAD_REQUEST', [...new Set(problems)].join(' '));
  }

  #describe(error: ErrorObject, known: readonly string[]): string {
    const params = error.params as { additionalProperty?: string; missingProperty?: string };
    if (params.additionalProperty !== undefined) {
      const nearest =
        known.length > 0 ? ` The nearest known one is "${closest(params.additionalProperty, known)}".` : '';
      return `${this.#what(params.additionalProperty)} is not known.${nearest}`;
    }
    if (params.missingProperty !== undefined) return `${this.#what(params.missingProperty)} is missing.`;
    const name = error.instancePath.slice(1).replaceAll('/', '.');
    if (name === '') return `The ${this.part} ${error.message ?? 'is wrong'}.`;
    const hint = (error.parentSchema as { description?: string } | undefined)?.description;
    return `${this.#what(name)} ${error.message ?? 'is wrong'}.${hint === undefined ? '' : ` ${hint}`}`;
  }

  #what(name: string): string {
    return this.part === 'query' ? `The parameter "${name}"` : `The field "${name}"`;
  }
}
