import { Worker } from 'node:worker_threads';
import type { LinderaCut } from './lindera-library.ts';
import { LinderaMailbox } from './lindera-mailbox.ts';

/** What a thread is for. */
export interface LinderaTask {
  readonly dictionary: string;
  /** Of a `LinderaMailbox`. */
  readonly memory: SharedArrayBuffer;
}

/**
 * Opens a dictionary in a thread of its own, and cuts with it there: this thread is held for as long as a piece of text
 * takes, as if it did that itself, and never for the unpacking. The thread does not keep the process alive.
 * @throws what the library throws
 */
export async function openLinderaThread(dictionary: string): Promise<LinderaCut> {
  const mailbox = new LinderaMailbox();
  const task: LinderaTask = { dictionary, memory: mailbox.memory };
  const thread = new Worker(new URL('./lindera-thread.ts', import.meta.url), { workerData: task });
  let end: Error | null = null;
  await new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.on('error', (error: Error) => {
      end = error;
      reject(error);
    });
    thread.once('exit', () => {
      end ??= new Error('the thread of Lindera has ended');
      reject(end);
    });
  });
  thread.unref();
  return (piece, tags) => {
    if (end !== null) throw end;
    return mailbox.ask(piece, tags);
  };
}
