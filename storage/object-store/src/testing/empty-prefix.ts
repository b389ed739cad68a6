let prefixes = 0;

/** The settings with a prefix that nobody has used in this process: an empty store in a bucket of many tests. */
export function withEmptyPrefix<Settings extends { readonly prefix: string }>(settings: Settings): Settings {
  prefixes += 1;
  return { ...settings, prefix: `test ${process.pid}/${prefixes}` };
}
