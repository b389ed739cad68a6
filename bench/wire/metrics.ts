import type { Peer } from './peers.ts';

/** The server's own measure of its event loop, p99, since it was last asked; `null` for servers that have none. */
export async function loopDelayMs(peer: Peer): Promise<number | null> {
  if (peer.admin === null) return null;
  return 1000 * (await metricsOf(peer))('elanus_event_loop_delay_p99_seconds');
}

/** What a server's `/metrics` say now: the value of a line without labels, 0 when there is none. */
export async function metricsOf({ admin, name }: Peer): Promise<(metric: string) => number> {
  if (admin === null) throw new Error(`nothing is known of the metrics of ${name}`);
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return (metric) => Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}
