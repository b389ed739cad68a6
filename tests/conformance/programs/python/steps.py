"""Reports steps, one line of JSON each, for a table that is the same in every language."""

import json


def step(sentence, action):
    """Runs `action` and reports what it answered, or the text of its failure."""
    try:
        line = {"step": sentence, "got": action()}
    except Exception as error:
        line = {"step": sentence, "failed": getattr(error, "message", None) or str(error)}
    print(json.dumps(line), flush=True)
