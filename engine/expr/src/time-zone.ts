/** Formats are dear to make, and a server uses few zones. */
const ZONES_MAX = 64;
/** Since then zones change at whole quarters of an hour only. */
const QUARTERS_SINCE_MS = Date.UTC(1972, 0, 1);
const QUARTER_MS = 15 * 60_000;
const QUARTERS_KEPT_MAX = 16_384;

const zones = new Map<string, TimeZone>();

/** The zone called `name`, which IANA knows. */
export function timeZone(name: string): TimeZone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  if (zones.size >= ZONES_MAX) zones.clear();
  const zone = new TimeZone(name);
  zones.set(name, zone);
  return zone;
}

/** What clocks on the wall show somewhere. */
class TimeZone {
  readonly #format: Intl.DateTimeFormat | null;
  /** By quarters of an hour since 1970. */
  readonly #offsets = new Map<number, number>();

  constructor(name: string) {
    this.#format =
      name === 'UTC'
        ? null
        : new Intl.DateTimeFormat('en-US', {
            timeZone: name,
            hourCycle: 'h23',
            ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
            ...{ hour: 'numeric', minute: 'numeric', second: 'numeric', era: 'short' },
          });
  }

  /** How far the wall is ahead of UTC at `ms` since 1970, in milliseconds. */
  offsetAt(ms: number): number {
    if (this.#format === null) return 0;
    if (ms < QUARTERS_SINCE_MS) return this.#wallAt(ms) - ms;
    const quarter = Math.floor(ms / QUARTER_MS);
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const offset = this.#wallAt(quarter * QUARTER_MS) - quarter * QUARTER_MS;
    if (this.#offsets.size >= QUARTERS_KEPT_MAX) this.#offsets.clear();
    this.#offsets.set(quarter, offset);
    return offset;
  }

  /**
   * How far the wall is ahead of UTC when it shows `wallMs`, in milliseconds. Of a time that it shows twice, or never,
   * one of both.
   */
  offsetOfWall(wallMs: number): number {
    return this.offsetAt(wallMs - this.offsetAt(wallMs));
  }

  /** To the second, as all zones are. */
  #wallAt(ms: number): number {
    const second = Math.floor(ms / 1_000) * 1_000;
    const parts = new Map(this.#format!.formatToParts(second).map(({ type, value }) => [type, value]));
    const part = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name));
    const date = new Date(0);
    const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
    date.setUTCFullYear(year, part('month') - 1, part('day'));
    return date.setUTCHours(part('hour'), part('minute'), part('second')) + ms - second;
  }
}
