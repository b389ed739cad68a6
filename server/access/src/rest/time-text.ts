/** RFC 3339 in whole seconds; empty for what has not happened. */
export function timeText(ms: number | null): string {
  return ms === null ? '' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
