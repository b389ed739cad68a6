import { invalidParameter } from '@elanus/model';
import type { AnalyzerSpec } from './analyzer-spec.ts';
import { type Mapping, readMapping } from './char-filters/mapping.ts';
import type { OffsetMode } from './char-filters/rewrite.ts';
import { type JsonObject, member } from './json-options.ts';

const FILTERS = 'char_filter';
const MODE = 'char_filter_offset_mode';
/** Members of an analyzer that say what is done to texts before they are cut. */
export const CHAR_FILTER_KEYS = [FILTERS, MODE] as const;

const MODES: readonly OffsetMode[] = ['source_span', 'boundary'];
const FILTERS_MAX = 16;

/** @throws MilvusError 1100 in Milvus' words */
export function readCharFilters(params: JsonObject): Pick<AnalyzerSpec, 'charFilter'> {
  const given = member(params, FILTERS);
  const mode = readMode(member(params, MODE));
  if (given === undefined) {
    if (member(params, MODE) === undefined) return {};
    throw invalidParameter(`${MODE} requires ${FILTERS}`);
  }
  if (!Array.isArray(given)) throw invalidParameter(`${FILTERS} params should be array`);
  if (given.length > FILTERS_MAX)
    throw invalidParameter(`an analyzer has ${FILTERS_MAX} char filters at most, got ${given.length}`);
  return { charFilter: { mappings: given.map(readCharFilter), mode } };
}

function readMode(given: unknown): OffsetMode {
  if (given === undefined) return 'source_span';
  if (typeof given !== 'string') throw invalidParameter(`${MODE} should be string`);
  const mode = MODES.find((each) => each === given);
  if (mode === undefined) throw invalidParameter(`unsupported ${MODE}: ${given}`);
  return mode;
}

function readCharFilter(given: unknown): Mapping {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalidParameter(`${FILTERS} item should be object`);
  const options = given as JsonObject;
  const type = member(options, 'type');
  if (type === undefined) throw invalidParameter(`${FILTERS} type must be set`);
  if (typeof type !== 'string') throw invalidParameter(`${FILTERS} type should be string`);
  if (type !== 'mapping') throw invalidParameter(`unsupported ${FILTERS} type: ${type}`);
  const mappings = member(options, 'mappings');
  if (mappings === undefined) throw invalidParameter('mapping char_filter must set mappings');
  if (!Array.isArray(mappings)) throw invalidParameter('mapping char_filter mappings must be array');
  if (!mappings.every((each) => typeof each === 'string'))
    throw invalidParameter('mapping char_filter mapping item must be string');
  return readMapping(mappings);
}
