/** The headers of a request as text: the path, then names and values by turns, each ended by a line feed, which neither may have. */
export class RequestHeaders {
  readonly #text: string;
  readonly #pathEnd: number;

  constructor(text: string) {
    this.#text = text;
    this.#pathEnd = text.indexOf('\n');
  }

  get path(): string {
    return this.#text.slice(0, this.#pathEnd);
  }

  /** The value of a header, whose name is given in small letters; the first, should it come several times. */
  get(name: string): string | undefined {
    const text = this.#text;
    const sought = `\n${name}\n`;
    for (let at = text.indexOf(sought, this.#pathEnd); at >= 0; at = text.indexOf(sought, at + 1)) {
      if (this.#isName(at)) {
        const begin = at + sought.length;
        return text.slice(begin, text.indexOf('\n', begin));
      }
    }
    return undefined;
  }

  /** Whether the line behind the feed at `at` is a name, not a value that looks like one. */
  #isName(at: number): boolean {
    let isName = true;
    for (let feed = this.#pathEnd; feed !== at; feed = this.#text.indexOf('\n', feed + 1)) isName = !isName;
    return isName;
  }
}
