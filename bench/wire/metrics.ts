import type { Peer } from './peers.ts';

/** What a server's `/metrics` say now: the value of a line without labels, 0 when there is none. */
export async function metricsOf({ admin, name }: Peer): Promise<(metric: string) => number> {
  if (admin === null) throw new Error(`nothing is known of the metrics of ${name}`);
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return (metric) => Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}
