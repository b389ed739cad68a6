/** How JavaScript hears of the end of what the kernel's own threads do: one channel for each JavaScript thread. */
import type { NativeKernel } from './native.ts';
import { KernelError, Status } from './status.ts';

interface Job {
  /** Keeps alive every buffer that the job reads or writes. */
  readonly buffers: unknown;
  readonly signal: AbortSignal | undefined;
  readonly cancel: () => void;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

const jobs = new Map<number, Job>();
let lastId = 0;
let isOpen = false;

function settle(id: number, status: number): void {
  const { signal, cancel, resolve, reject } = jobs.get(id)!;
  jobs.delete(id);
  signal?.removeEventListener('abort', cancel);
  if (status === Status.Ok) resolve();
  else reject(status === Status.Cancelled ? signal?.reason : new KernelError(status));
}

/**
 * Starts a job: `begin` hands it to the kernel under an id and returns a status. Resolves when it has ended well;
 * rejects with the signal's reason when that ended it, else with a `KernelError`. `begin` is called at once.
 */
export function startJob(
  native: NativeKernel,
  begin: (id: number) => number,
  buffers: unknown,
  signal: AbortSignal | undefined,
): { readonly id: number; readonly ended: Promise<void> } {
  if (!isOpen) {
    if (!native.openJobs(settle)) throw new Error('the kernel cannot reach this JavaScript thread');
    isOpen = true;
  }
  const id = ++lastId;
  const status = begin(id);
  if (status !== Status.Ok) throw new KernelError(status);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancel = () => native.cancelJob(id);
  signal?.addEventListener('abort', cancel, { once: true });
  jobs.set(id, { buffers, signal, cancel, resolve, reject });
  return { id, ended: promise };
}
