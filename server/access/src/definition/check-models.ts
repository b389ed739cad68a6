import { askedTokenizersOfField } from '@elanus/functions';
import { type CollectionSchema, type FieldSchema, MilvusError } from '@elanus/model';
import type { AccessDependencies, CallContext } from '../handler.ts';

/**
 * Asks each model that makes vectors for a schema for one.
 * @throws MilvusError 1100 for a function that the server can't ask for, 2400 for a model that does not answer, or with
 *   vectors that the schema has no room for
 */
export async function checkModels(
  { models }: Pick<AccessDependencies, 'models'>,
  schema: CollectionSchema,
  { signal }: Pick<CallContext, 'signal'>,
): Promise<void> {
  for (const made of schema.functions) {
    if (made.type !== 'TextEmbedding') continue;
    const embedder = models.embedderOf(schema, made);
    try {
      await embedder.check({ signal });
    } catch (error) {
      if (!(error instanceof MilvusError)) throw error;
      throw error.within(`check function [${made.name}:TextEmbedding] failed, the err is`);
    }
  }
}

/**
 * Asks each service that is to cut the texts of fields for the words of one.
 * @throws MilvusError 1100 for a service that the server may not speak to, or that does not answer
 */
export async function checkTokenizers(
  { models }: Pick<AccessDependencies, 'models'>,
  fields: readonly FieldSchema[],
): Promise<void> {
  for (const field of fields)
    for (const tokenizer of askedTokenizersOfField(field)) await models.checkTokenizer(tokenizer);
}
