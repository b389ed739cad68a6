import type { MethodName } from '@elanus/proto';
import { AGGREGATION_MISTAKES } from './aggregation-mistakes.ts';
import { ALIAS_MISTAKES } from './alias-mistakes.ts';
import { ANALYZER_MISTAKES } from './analyzer-mistakes.ts';
import { ANY_COLLECTION_MISTAKES } from './any-collection-mistakes.ts';
import { COMPACTION_MISTAKES } from './compaction-mistakes.ts';
import { CREATE_COLLECTION_MISTAKES } from './create-collection-mistakes.ts';
import { CREATE_INDEX_MISTAKES } from './create-index-mistakes.ts';
import { DATABASE_MISTAKES } from './database-mistakes.ts';
import { DEFINITION_MISTAKES } from './definition-mistakes.ts';
import { DELETE_MISTAKES } from './delete-mistakes.ts';
import { FIELD_MISTAKES } from './field-mistakes.ts';
import { FILE_RESOURCE_MISTAKES } from './file-resource-mistakes.ts';
import { HYBRID_SEARCH_MISTAKES } from './hybrid-search-mistakes.ts';
import { IMPORT_MISTAKES } from './import-mistakes.ts';
import { LIST_SEARCH_MISTAKES } from './list-search-mistakes.ts';
import type { Mistake } from './mistake.ts';
import { PARTIAL_UPSERT_MISTAKES } from './partial-upsert-mistakes.ts';
import { QUERY_MISTAKES } from './query-mistakes.ts';
import { SCHEMA_CHANGE_MISTAKES } from './schema-change-mistakes.ts';
import { SEARCH_AGGREGATION_MISTAKES } from './search-aggregation-mistakes.ts';
import { SEARCH_MISTAKES } from './search-mistakes.ts';
import { STRUCT_MISTAKES } from './struct-mistakes.ts';
import { TEXT_MISTAKES } from './text-mistakes.ts';
import { INSERT_MISTAKES, UPSERT_MISTAKES } from './write-mistakes.ts';

/**
 * Every mistake that we know of by its method, for a server that holds the prepared collections. None changes
 * anything that a client can see.
 */
export const MISTAKES: ReadonlyMap<MethodName, readonly Mistake[]> = Map.groupBy(
  [
    ...ANY_COLLECTION_MISTAKES,
    ...DATABASE_MISTAKES,
    ...ALIAS_MISTAKES,
    ...CREATE_COLLECTION_MISTAKES,
    ...FIELD_MISTAKES,
    ...CREATE_INDEX_MISTAKES,
    ...SCHEMA_CHANGE_MISTAKES,
    ...STRUCT_MISTAKES,
    ...DEFINITION_MISTAKES,
    ...INSERT_MISTAKES,
    ...UPSERT_MISTAKES,
    ...PARTIAL_UPSERT_MISTAKES,
    ...DELETE_MISTAKES,
    ...QUERY_MISTAKES,
    ...AGGREGATION_MISTAKES,
    ...SEARCH_MISTAKES,
    ...LIST_SEARCH_MISTAKES,
    ...ANALYZER_MISTAKES,
    ...TEXT_MISTAKES,
    ...HYBRID_SEARCH_MISTAKES,
    ...SEARCH_AGGREGATION_MISTAKES,
    ...COMPACTION_MISTAKES,
    ...IMPORT_MISTAKES,
    ...FILE_RESOURCE_MISTAKES,
  ],
  ({ method }) => method,
);
