"""What the indexes of lists of all libraries have in common; as in list-specs.ts."""

import math

PROBES = [1, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 256, 362, 512, 724, 1024]
REFINED = 10  # Candidates reranked exactly, for each row asked for.
MORE_REFINED = [20, 40]  # For whom these are too few.
MORE_REFINED_PROBES_MIN = 16


def lists_for(rows):
    """A power of two, at most four times the root of the number of rows."""
    return 2 ** int(math.log2(4 * math.sqrt(rows)))


def probes_for(rows):
    """Up to all lists."""
    return [probes for probes in PROBES if probes <= lists_for(rows)]


def refined_probes_for(rows):
    """The same, and then, as "probes x candidates", with more candidates."""
    probes = probes_for(rows)
    more = [few for few in probes if few >= MORE_REFINED_PROBES_MIN]
    return probes + [f"{few} x {candidates}" for candidates in MORE_REFINED for few in more]


def probes_and_refined(knob):
    """What one of `refined_probes_for` says."""
    probes, _, candidates = str(knob).partition(" x ")
    return int(probes), int(candidates or REFINED)
