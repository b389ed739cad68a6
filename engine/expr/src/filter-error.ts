import { invalidParameter, type MilvusError } from '@elanus/model';
import { FILTER_LIMITS } from './limits.ts';

/**
 * A filter that means nothing, inside this package only: `planFilter` wraps it in Milvus' words.
 * `fill` marks what a template's value broke; its text goes out without the filter's.
 */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  readonly phase: 'parse' | 'fill';

  constructor(message: string, phase: 'parse' | 'fill' = 'parse') {
    super(message);
    this.phase = phase;
  }
}

/** What the caller of `planFilter` is told about `error`, found in `text`. */
export function describeFilterError(text: string, error: FilterError): MilvusError {
  if (error.phase === 'fill') return invalidParameter(error.message);
  return invalidParameter(`cannot parse expression: ${shorten(text)}, error: ${error.message}`);
}

/** `text`, cut where a message would repeat a request's megabytes. */
export function shorten(text: string): string {
  if (text.length <= FILTER_LIMITS.messageTextMax) return text;
  return `${text.slice(0, FILTER_LIMITS.messageTextMax)}...`;
}

/** The part `start .. end` of a filter as Milvus prints it: without white space, string literals untouched. */
export function printPart(text: string, start: number, end: number): string {
  const part = shorten(text.slice(start, end));
  return part.replace(/("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|[ \t\r\n]+/g, (_, literal) => literal ?? '');
}
