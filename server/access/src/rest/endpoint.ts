import type { Body, Shape } from './body.ts';
import type { JsonOut } from './json-text.ts';
import type { RestCaller } from './rest-caller.ts';

/** What stands beside `code` in the answer. */
export type RestAnswer = { readonly data: JsonOut } & { readonly [member: string]: JsonOut };

/** One path below `/v2/vectordb/`. */
export interface Endpoint {
  readonly takes: Shape;
  readonly answer: (body: Body, caller: RestCaller) => Promise<RestAnswer>;
}

export type Endpoints = Readonly<Record<string, Endpoint>>;

/** The answer of what only does something. */
export const DONE: RestAnswer = { data: {} };

export function endpoint(takes: Shape, answer: Endpoint['answer']): Endpoint {
  return { takes, answer };
}
