import { ModelClient, type ModelSettings, Models } from '@elanus/functions';
import { findNumberRunsAside } from '@elanus/kernel';
import type { Clock, LoopShare } from '@elanus/runtime';
import { readJson } from '../rest/json-reader.ts';
import { runInSlices } from '../rows/sliced-work.ts';

/** The models that `settings` let the server ask. Long answers are read a little in each turn of the event loop. */
export function openModels(
  settings: ModelSettings,
  { clock, share }: { readonly clock: Clock; readonly share: LoopShare },
): Models {
  const parse = async (bytes: Buffer): Promise<unknown> =>
    await runInSlices(readJson(bytes, { runs: await findNumberRunsAside(bytes) }), share);
  const client = new ModelClient({ clock, parse, timeoutMs: settings.timeoutMs });
  return new Models({ settings, client, clock });
}
