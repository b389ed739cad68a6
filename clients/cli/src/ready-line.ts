/** The one line on stdout that tells scripts where the server is. Values with spaces or quotes are quoted as in JSON. */
export function readyLine(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([key, value]) => `${key}=${quoted(value)}`);
  return `elanus ready ${pairs.join(' ')}\n`;
}

/** `host:port` as clients take it; an IPv6 address, which has colons of its own, stands in brackets. */
export function addressText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function quoted(value: string): string {
  return /[\s"'\\]/.test(value) || value === '' ? JSON.stringify(value) : value;
}
