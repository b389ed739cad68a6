import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FormatError, sourceOf } from '../byte-source.ts';
import { NumpyRows } from './npy-reader.ts';

/** A file of version 1 with this header and data. */
function npy(descr: string, shape: string, data: Uint8Array, order = 'False'): Uint8Array {
  const header = `${`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`.padEnd(117)}\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, 'latin1');
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, data]);
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const open = (files: Readonly<Record<string, Uint8Array>>) =>
  NumpyRows.open(new Map(Object.entries(files).map(([name, bytes]) => [name, sourceOf(bytes)])));

describe('NumPy files', () => {
  it('are columns of numbers, texts and vectors', async () => {
    const texts = Buffer.alloc(24);
    for (const [at, point] of [0x61, 0, 0, 0x1f985, 0x62, 0].entries()) texts.writeUInt32LE(point, 4 * at);
    const reader = await open({
      id: npy('<i8', '2,', bytesOf(BigInt64Array.of(2n ** 62n, -1n))),
      flag: npy('|b1', '2,', Uint8Array.of(1, 0)),
      name: npy('<U3', '2,', texts),
      short: npy('|S2', '2,', Buffer.from('a\0ü')),
      v: npy('<f4', '2, 2', bytesOf(Float32Array.of(1, 2, 3, 4))),
    });
    assert.equal(reader.rows, 2);
    const { rows, columns } = (await reader.next(10))!;
    assert.equal(rows, 2);
    const cells = (name: string) => [...(columns.get(name) as { values: Iterable<unknown> }).values];
    assert.deepEqual(cells('id'), [2n ** 62n, -1n]);
    assert.deepEqual(cells('flag'), [true, false]);
    assert.deepEqual(cells('name'), ['a', '🦅b']);
    assert.deepEqual(cells('short'), ['a', 'ü']);
    const lists = columns.get('v') as { offsets: Uint32Array; numbers: Float32Array };
    assert.deepEqual(
      [[...lists.offsets], [...lists.numbers]],
      [
        [0, 2, 4],
        [1, 2, 3, 4],
      ],
    );
    assert.equal(await reader.next(10), null);
  });

  const wrong: Readonly<Record<string, Uint8Array>> = {
    'no NumPy file': Buffer.from('hello, world!'),
    'more rows than bytes': npy('<f8', '1000000000000,', new Uint8Array(8)),
    'rows without bytes': npy('<f8', '1000000000000, 0', new Uint8Array(8)),
    objects: npy('|O', '1,', new Uint8Array(8)),
    'big-endian numbers': npy('>f8', '1,', new Uint8Array(8)),
    'columns first': npy('<f4', '1, 2', new Uint8Array(8), 'True'),
    'three dimensions': npy('<f4', '1, 1, 2', new Uint8Array(8)),
    'a header beyond the file': Buffer.from('\x93NUMPY\x01\x00\xff\xff{}', 'latin1'),
  };
  for (const [what, bytes] of Object.entries(wrong))
    it(`are refused when they have ${what}`, async () => {
      await assert.rejects(open({ a: bytes }), FormatError);
    });

  it('are refused when they have different numbers of rows', async () => {
    const files = { a: npy('|i1', '1,', Uint8Array.of(1)), b: npy('|i1', '2,', Uint8Array.of(1, 2)) };
    await assert.rejects(open(files), /a 1, b 2/);
  });
});
