import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilesInUse, giveToReads, type UsedFile, useWhereRead } from './files-in-use.ts';

/** Counts its uses. */
class CountedFile implements UsedFile {
  readonly isLasting = false;
  isThere = true;
  uses = 0;
  /** What the next use waits for. */
  coming: Promise<void> | null = null;

  use(): Promise<void> | null {
    this.uses += 1;
    return (
      this.coming?.catch((error) => {
        this.uses -= 1;
        throw error;
      }) ?? null
    );
  }

  leave(): void {
    this.uses -= 1;
  }
}

test('a file is used once, however often it is wanted, until the end', () => {
  const file = new CountedFile();
  const use = new FilesInUse();
  assert.equal(use.add(file), null);
  assert.equal(use.addAll([file, file]), null);
  assert.equal(file.uses, 1);
  use[Symbol.dispose]();
  use[Symbol.dispose]();
  assert.equal(file.uses, 0);
});

test('all who want a file that is on its way wait for it; nobody leaves one that has not come', async () => {
  const [file, lost] = [new CountedFile(), new CountedFile()];
  const arrival = Promise.withResolvers<void>();
  file.coming = arrival.promise;
  lost.coming = Promise.reject(new Error('lost'));
  const use = new FilesInUse();
  const both = [use.add(file), use.add(file)];
  assert.ok(both.every((one) => one !== null));
  await assert.rejects(async () => await use.add(lost), /lost/);
  use[Symbol.dispose]();
  assert.deepEqual([file.uses, lost.uses], [1, 0], 'it may be written to just now');
  arrival.resolve();
  await Promise.all(both);
  assert.deepEqual([file.uses, lost.uses], [0, 0]);
});

test('who reads uses what takes the place of others, who has ended or only keeps does not', () => {
  const [reading, keeping] = [new FilesInUse(), new FilesInUse()];
  keeping.endReading();
  new FilesInUse()[Symbol.dispose]();
  const [file, opened] = [new CountedFile(), new CountedFile()];
  useWhereRead(file);
  assert.equal(opened.use(), null);
  giveToReads(opened);
  assert.deepEqual([file.uses, opened.uses], [1, 1]);
  reading[Symbol.dispose]();
  keeping[Symbol.dispose]();
  assert.deepEqual([file.uses, opened.uses], [0, 0]);
});
