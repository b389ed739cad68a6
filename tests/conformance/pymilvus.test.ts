import { caseFiles, pymilvusSuite } from './harness/pymilvus-suite.ts';

/** Programs that need a client that knows of nulls. */
const newCaseFiles = {
  'hybrid search and reranking': 'hybrid_search.py',
  'groups, orders and aggregates': 'groups_and_orders.py',
  'updates of some fields': 'partial_upsert.py',
  'lists of vectors': 'embedding_lists.py',
  'chains of functions': 'function_chains.py',
  'functions that are added': 'added_functions.py',
};

await pymilvusSuite('3.0.2', { ...caseFiles, ...newCaseFiles });
