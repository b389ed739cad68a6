"""Embeddings that need no model: texts that share words are near each other."""

import math
import re

DIMENSIONS = 256


def embed(text):
    """One component a word, by a hash of its letters; length 1."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        number = 7
        for letter in word:
            number = (number * 31 + ord(letter)) % 1_000_003
        vector[number % DIMENSIONS] += 1.0
    length = math.hypot(*vector) or 1.0
    return [value / length for value in vector]
