import type { Kind, Shape } from './body.ts';
import type { Endpoints } from './endpoint.ts';

type Schema = Readonly<Record<string, unknown>>;

const SCHEMAS: Readonly<Record<Kind, Schema>> = {
  string: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  object: { type: 'object' },
  array: { type: 'array', items: {} },
  strings: { type: 'array', items: { type: 'string' } },
  any: {},
  int64: { oneOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?\\d{1,19}$' }] },
};

const ANSWER: Schema = {
  type: 'object',
  required: ['code'],
  properties: {
    code: { type: 'integer', description: '0: success; else the code of the failure' },
    data: { description: 'of a success' },
    message: { type: 'string', description: 'of a failure' },
  },
};

/** The description of every endpoint, made from the shapes that their bodies are checked against (OpenAPI 3.1). */
export function openApi(endpoints: Endpoints, base: string, version: string): Schema {
  const paths = Object.entries(endpoints).map(([path, { takes }]) => [
    base + path,
    { post: operation(path, takes) },
  ]);
  return {
    openapi: '3.1.0',
    info: { title: 'Elanus: RESTful API v2', version },
    paths: Object.fromEntries(paths),
    components: {
      parameters: {
        timeout: {
          name: 'Request-Timeout',
          in: 'header',
          schema: { type: 'integer' },
          description: 'seconds',
        },
        database: { name: 'DB-Name', in: 'header', schema: { type: 'string' } },
        int64: { name: 'Accept-Type-Allow-Int64', in: 'header', schema: { type: 'boolean' } },
      },
      schemas: { Answer: ANSWER },
    },
  };
}

function operation(path: string, takes: Shape): Schema {
  const required = Object.keys(takes).filter((name) => takes[name]!.isRequired);
  const properties = Object.entries(takes).map(([name, { kind }]) => [name, SCHEMAS[kind]]);
  const body = {
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties: Object.fromEntries(properties),
  };
  return {
    operationId: path.replaceAll('/', '_'),
    tags: [path.split('/', 1)[0]],
    parameters: ['timeout', 'database', 'int64'].map((name) => ({ $ref: `#/components/parameters/${name}` })),
    requestBody: { required: true, content: { 'application/json': { schema: body } } },
    responses: {
      200: {
        description: 'An answer, or a failure with its code',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Answer' } } },
      },
      408: { description: 'The time that the request was given is over' },
    },
  };
}
