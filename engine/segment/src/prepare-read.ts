import { dataIntegrity, type FieldId } from '@elanus/model';
import { openFiles, type Read, viewShards } from './read.ts';
import type { UsedFile } from './sealed/files-in-use.ts';
import { lookUpWords, matchedFields } from './words/look-up-words.ts';

/**
 * Opens the files that the read needs, those of the vector indexes on `searched` as well, and looks up the words that its
 * filter asks about: to be awaited before anything looks at columns. `null` when nothing is to be done, which is so for nearly
 * all reads.
 */
export function prepareRead(read: Read, searched: FieldId | null = null): Promise<unknown> | null {
  const opening = bothOf(openFiles(read), useIndexes(read, searched));
  const { predicate } = read.selection ?? {};
  const fields = predicate === undefined ? [] : matchedFields(predicate.condition);
  if (fields.length === 0) return opening;
  const lookUp = async (): Promise<void> => {
    await opening;
    await lookUpWords(read, viewShards(read), fields);
  };
  return lookUp();
}

function bothOf(a: Promise<unknown> | null, b: Promise<unknown> | null): Promise<unknown> | null {
  if (a === null || b === null) return a ?? b;
  return Promise.all([a, b]);
}

/** What is built, or opened, from now on is given to all reads that run. */
function useIndexes(read: Read, searched: FieldId | null): Promise<unknown> | null {
  const { use } = read;
  if (use === undefined) return null;
  const files = searched === null ? [] : vectorIndexes(read, searched);
  const coming = use.addAll([...files, ...scalarIndexes(read)]);
  if (coming === null) return null;
  return coming.catch((cause: unknown) => {
    throw dataIntegrity(`an index can't be read: ${cause instanceof Error ? cause.message : cause}`, cause);
  });
}

function vectorIndexes({ shards, scope: { partitionIds } }: Read, field: FieldId): readonly UsedFile[] {
  const files: UsedFile[] = [];
  for (const { vectorIndexes: indexes } of shards) {
    const wanted =
      partitionIds === null
        ? indexes.of(field)
        : [...partitionIds].map((partition) => indexes.find(field, partition));
    for (const index of wanted)
      for (const { file } of index?.pieces ?? []) if (file?.content !== undefined) files.push(file.content);
  }
  return files;
}

function scalarIndexes({ scope: { partitionIds }, selection, filters }: Read): readonly UsedFile[] {
  if (selection?.predicate === undefined || filters === undefined) return [];
  const files: UsedFile[] = [];
  for (const { pieces } of filters.indexes.on(selection.predicate.fieldIds))
    for (const { content, chunks } of pieces) {
      const isWanted =
        partitionIds === null || chunks.some(({ chunk }) => partitionIds.has(chunk.partitionId));
      if (content !== null && isWanted) files.push(content);
    }
  return files;
}
