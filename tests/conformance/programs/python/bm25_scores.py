"""What BM25 should say of a few texts, by its formula."""

import math

from cases import same

# What rows hold, and how BM25 sees it: by words, with the standard analyzer.
TEXTS = [
    "the quick brown fox",
    "a quick fox and a slow dog",
    "lazy dogs sleep",
    "",
    "fox fox fox",
    "brown bread and brown butter",
]


def bm25(texts, query, k1=1.2, b=0.75):
    """The scores of the texts that have a word of the query, by key."""
    documents = {key: text.lower().split() for key, text in texts.items()}
    average = max(1, sum(map(len, documents.values())) / len(documents))
    found = {}
    for word in query.lower().split():
        count = sum(word in words for words in documents.values())
        idf = math.log(1 + (len(documents) - count + 0.5) / (count + 0.5))
        for key, words in documents.items():
            tf = words.count(word)
            if tf > 0:
                norm = tf + k1 * (1 - b + b * len(words) / average)
                found[key] = found.get(key, 0) + idf * tf * (k1 + 1) / norm
    return found


def agrees(client, name, texts, query, k1=1.2, b=0.75, **options):
    [hits] = client.search(name, [query], anns_field="words", limit=10, **options)
    wanted = bm25(texts, query, k1, b)
    same([hit["id"] for hit in hits], sorted(wanted, key=lambda key: (-wanted[key], key)))
    for hit in hits:
        same(math.isclose(hit["distance"], wanted[hit["id"]], rel_tol=1e-5), True)
