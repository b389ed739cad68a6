"""What the indexes of lists of all libraries have in common; as in list-specs.ts."""

import math

PROBES = [1, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 256]
REFINED = 10  # Candidates reranked exactly, for each row asked for.


def lists_for(rows):
    """A power of two, at most four times the root of the number of rows."""
    return 2 ** int(math.log2(4 * math.sqrt(rows)))
