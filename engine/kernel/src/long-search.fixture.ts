/** A thread that starts searches and never hears of their end. */
import { parentPort } from 'node:worker_threads';
import { loadKernel } from './load-kernel.ts';
import { randomSearch } from './random-search.ts';

const search = randomSearch({
  ...{ seed: 1, dataType: 101, metric: 'L2', dim: 256, queryCount: 500, k: 5, blockRows: [2000] },
  ...{ values: 'real', keyType: 'int64', allowedShare: null },
});
const kernel = loadKernel({ inline: 'none' });
for (let i = 0; i < 10; i++) kernel.exactSearch(search).catch(() => undefined);
parentPort!.postMessage('started');
