import { parentPort, workerData } from 'node:worker_threads';
import { openLindera } from './lindera-library.ts';
import { LinderaMailbox } from './lindera-mailbox.ts';
import type { LinderaTask } from './open-lindera-thread.ts';

/** Opens a dictionary, says so, and cuts texts for ever. */
const { dictionary, memory } = workerData as LinderaTask;
const cut = await openLindera(dictionary);
parentPort!.postMessage('open');
new LinderaMailbox(memory).serve(cut);
