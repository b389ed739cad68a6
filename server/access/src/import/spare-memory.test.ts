import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpareMemory, sharedMemoryOf } from './spare-memory.ts';

describe('spare memory', () => {
  it('is used again for what nearly fills it, and for nothing else', () => {
    const memory = new SpareMemory();
    const first = memory.take(1_000_000);
    assert.equal(first.length, 1_000_000);
    memory.add(sharedMemoryOf([first, first]));
    assert.notEqual(memory.take(100_000).buffer, first.buffer);
    assert.notEqual(memory.take(2_000_000).buffer, first.buffer);
    const again = memory.take(999_000);
    assert.equal(again.buffer, first.buffer);
    assert.equal(again.length, 999_000);
    assert.notEqual(memory.take(999_000).buffer, first.buffer, 'it was spare once');
  });

  it('is not what belongs to one thread', () => {
    assert.deepEqual(sharedMemoryOf([new Uint8Array(5)]), []);
  });
});
