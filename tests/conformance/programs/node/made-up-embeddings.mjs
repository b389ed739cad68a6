// Embeddings that need no model: texts that share words are near each other.

export const dimensions = 256;

/** One component a word, by a hash of its letters; length 1. */
export function embed(text) {
  const vector = new Array(dimensions).fill(0);
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let hash = 7;
    for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 1_000_003;
    vector[hash % dimensions] += 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** What LangChain asks of an embedding model. */
export const embeddings = {
  embedQuery: async (text) => embed(text),
  embedDocuments: async (texts) => texts.map(embed),
};
