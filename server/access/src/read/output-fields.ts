import {
  type CollectionSchema,
  type FieldId,
  type FieldSchema,
  fieldByName,
  functionOfOutput,
  invalidInput,
  refused,
  structOf,
  subFieldsOf,
} from '@elanus/model';
import { loadedFields, type ReadTarget, requireLoaded } from './read-target.ts';

/** What a read returns beside keys and scores. */
export interface OutputFields {
  /** Columns in the order of the answer; the primary key only if `primaryKey` says so, and then last. */
  readonly fields: readonly FieldSchema[];
  /** `output_fields` of the answer: names, `$meta` and the dynamic keys that were asked for. */
  readonly names: readonly string[];
  /** Keys of `$meta` to return; `null`: all of them, or the column is not returned at all. */
  readonly dynamicKeys: ReadonlySet<string> | null;
}

const CALL = /^\w+\s*\(.*\)$/s;
const SUBSCRIPT = /^\$meta\[(["'])(.*)\1\]$/s;

/**
 * Expands what a client asked for: `*` is every loaded field but those that functions make, a name that is no field is a
 * key of `$meta`.
 * @throws MilvusError 1100 `field X not exist`, 65535 for what looks like a call, 65535 for a field that a function makes
 */
export function expandOutputFields(
  target: ReadTarget,
  asked: readonly string[],
  primaryKey: 'always' | 'when asked',
): OutputFields {
  const { schema } = target.collection;
  const fields = new Map<FieldId, FieldSchema>();
  const names = new Set<string>();
  const dynamicKeys = new Set<string>();
  let wholeDynamicField = false;
  let keyAsked = primaryKey === 'always';
  const add = (field: FieldSchema) => {
    if (field.isDynamic) wholeDynamicField = true;
    if (field.isPrimaryKey) {
      keyAsked = true;
      return;
    }
    fields.set(field.id, field);
    names.add(structOf(schema, field)?.name ?? field.name);
  };
  for (const raw of asked) {
    const name = raw.trim();
    if (name === '*') {
      for (const field of loadedFields(target)) if (isReadable(schema, field)) add(field);
      continue;
    }
    const field = fieldByName(schema, name);
    if (field) {
      if (!isReadable(schema, field)) throw refused(`not allowed to retrieve raw data of field ${name}`);
      requireLoaded(target, [field.id]);
      add(field);
      continue;
    }
    const struct = schema.structArrays.find((each) => each.name === name);
    if (struct) {
      requireLoaded(target, struct.fieldIds);
      for (const subField of subFieldsOf(schema, struct)) fields.set(subField.id, subField);
      names.add(name);
      continue;
    }
    if (!schema.dynamicField) throw invalidInput(`field ${name} not exist`);
    // What looks like a call is a wish for something else than a key that is called so.
    if (CALL.test(name)) throw refused(`parse output field name failed: ${name}`);
    requireLoaded(target, [schema.dynamicField.id]);
    fields.set(schema.dynamicField.id, schema.dynamicField);
    names.add(name);
    dynamicKeys.add(SUBSCRIPT.exec(name)?.[2] ?? name);
  }
  if (keyAsked) {
    fields.set(schema.primaryKey.id, schema.primaryKey);
    names.add(schema.primaryKey.name);
  }
  const restricted = dynamicKeys.size > 0 && !wholeDynamicField;
  return { fields: [...fields.values()], names: [...names], dynamicKeys: restricted ? dynamicKeys : null };
}

/** What BM25 makes of texts is for itself only. */
function isReadable(schema: CollectionSchema, { id }: FieldSchema): boolean {
  return functionOfOutput(schema, id)?.type !== 'BM25';
}
