import { isMatchEnabled, readFieldAnalysis } from '@elanus/functions';
import { assert, type FieldId, type FieldSchema, type IndexInfo, textIndexId } from '@elanus/model';
import type { WordSpec } from '@elanus/segment';
import type { ServedCollection } from '../served-collection.ts';
import type { ScalarIndexBuilder } from './scalar-index-builder.ts';

interface OpenTextIndex {
  readonly info: IndexInfo;
  /** The parameters by which texts are cut: with others it is another index. */
  readonly analyzer: string;
}

/**
 * Keeps an index of words on each text field that filters may ask for words. Nobody defines these indexes, and nobody is
 * shown them: they come and go with the fields.
 */
export class TextIndexes {
  readonly #builder: Pick<ScalarIndexBuilder, 'open' | 'close'>;
  readonly #open = new WeakMap<ServedCollection, Map<FieldId, OpenTextIndex>>();

  constructor(builder: Pick<ScalarIndexBuilder, 'open' | 'close'>) {
    this.#builder = builder;
  }

  /** Opens and closes what the collection's schema asks for now. Returns whether it asks for any. */
  follow(collection: ServedCollection): boolean {
    const { id: collectionId, schema, createdTimestamp } = collection.info;
    const open = this.#open.get(collection) ?? new Map<FieldId, OpenTextIndex>();
    this.#open.set(collection, open);
    const fields = schema.fields.filter(isMatchEnabled);
    const analyzers = new Map(fields.map((field) => [field.id, analyzerOf(field)]));
    for (const [fieldId, { info, analyzer }] of open) {
      if (analyzers.get(fieldId) === analyzer) continue;
      this.#builder.close(info);
      open.delete(fieldId);
    }
    for (const field of fields) {
      if (open.has(field.id)) continue;
      const analyzer = analyzerOf(field);
      const spec: WordSpec = { kind: 'words', place: { fieldId: field.id, steps: null }, analyzer };
      const info: IndexInfo = {
        id: textIndexId(field.id),
        collectionId,
        fieldId: field.id,
        name: field.name,
        indexType: 'TEXT',
        metricType: null,
        params: [],
        createdTimestamp,
      };
      open.set(field.id, { info, analyzer });
      this.#builder.open(info, collection, spec);
    }
    return fields.length > 0;
  }
}

function analyzerOf(field: FieldSchema): string {
  const analysis = readFieldAnalysis(field);
  assert(analysis?.kind === 'one', 'a field that is matched has one analyzer');
  return analysis.params;
}
