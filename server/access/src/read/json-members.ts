const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The members of the JSON object `json` whose keys are among `keys`, joined by commas, byte for byte as they were
 * written: numbers keep their digits. REQUIRES: `json` is an object that was checked when it was inserted, or empty.
 * Nothing is parsed, so a value may nest as deep as it likes.
 */
export function keepMembers(json: Buffer, keys: ReadonlySet<string>): Buffer {
  const kept: Buffer[] = [];
  for (let begin = json.indexOf(QUOTE); begin >= 0; ) {
    const keyEnd = endOfText(json, begin);
    const end = endOfValue(json, json.indexOf(COLON, keyEnd) + 1);
    if (keys.has(textIn(json, begin, keyEnd))) {
      if (kept.length > 0) kept.push(COMMA_BYTES);
      kept.push(json.subarray(begin, end));
    }
    begin = json.indexOf(QUOTE, end);
  }
  return Buffer.concat(kept);
}

/** The keys of the JSON object `json`, in their order. REQUIRES: as of `keepMembers`. */
export function memberKeys(json: Buffer): readonly string[] {
  const keys: string[] = [];
  for (let begin = json.indexOf(QUOTE); begin >= 0; ) {
    const keyEnd = endOfText(json, begin);
    keys.push(textIn(json, begin, keyEnd));
    begin = json.indexOf(QUOTE, endOfValue(json, json.indexOf(COLON, keyEnd) + 1));
  }
  return keys;
}

const COMMA_BYTES = Buffer.of(COMMA);

/** The text whose opening quote is at `begin` and whose closing one lies before `end`. */
function textIn(json: Buffer, begin: number, end: number): string {
  const raw = json.toString('utf8', begin + 1, end - 1);
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
}

/** The position behind the text that begins at `at`. */
function endOfText(json: Buffer, at: number): number {
  for (let next = at + 1; next < json.length; next += 1) {
    if (json[next] === BACKSLASH) next += 1;
    else if (json[next] === QUOTE) return next + 1;
  }
  return json.length;
}

/** The position of the comma or brace that ends the member whose value begins at `at`. */
function endOfValue(json: Buffer, at: number): number {
  let depth = 0;
  for (let next = at; next < json.length; next += 1) {
    switch (json[next]) {
      case QUOTE:
        next = endOfText(json, next) - 1;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (depth === 0) return next;
        depth -= 1;
        break;
      case COMMA:
        if (depth === 0) return next;
        break;
      default:
    }
  }
  return json.length;
}
