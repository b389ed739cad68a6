import { type CollectionSchema, DataType, fieldById, type IndexInfo, parseJsonPath } from '@elanus/model';
import { type ScalarIndexSpec, scalarIndexSpec } from '@elanus/segment';

/** Spellings of one type of index. */
const TYPES = new Map([
  ['Trie', 'TRIE'],
  ['marisa-trie', 'TRIE'],
]);

/** What to build for a scalar index, of which the coordinator has checked the parameters; `null` when nothing is. */
export function scalarSpecOf(
  { fieldId, indexType, params }: IndexInfo,
  schema: CollectionSchema,
): ScalarIndexSpec | null {
  const field = fieldById(schema, fieldId);
  if (field === undefined) return null;
  const texts = new Map(params.map(({ key, value }) => [key, value.trim()]));
  const isDocument = field.dataType === DataType.JSON;
  return scalarIndexSpec({
    indexType: TYPES.get(indexType) ?? indexType,
    field,
    steps: isDocument ? parseJsonPath(texts.get('json_path') ?? field.name, field) : null,
    castType: texts.get('json_cast_type')?.toUpperCase() ?? null,
    gramMin: texts.has('min_gram') ? Number(texts.get('min_gram')) : null,
  });
}
