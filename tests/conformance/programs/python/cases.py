"""Runs the cases of a program against the server whose address is the last argument.

A case is a function with a sentence. It gets a client and the name of a collection that nobody else
uses and that is dropped afterwards. Each case prints one line of JSON; a last line says that the
program has reached its end.
"""

import asyncio
import inspect
import json
import sys
import traceback
import uuid
import warnings

import pymilvus
from pymilvus import MilvusClient, MilvusException

warnings.simplefilter("ignore")

ADDRESS = sys.argv[-1]
URI = f"http://{ADDRESS}"

_cases = []


def case(sentence, since="2.4"):
    """Registers a function as a case; clients older than `since` skip it."""

    def register(function):
        _cases.append((sentence, since, function))
        return function

    return register


def fails(action, code=None, text=""):
    """Demands that `action` raises a MilvusException with this code and this text in its message."""
    try:
        answer = action()
    except MilvusException as error:
        assert text in error.message, f"{error.message!r} does not say {text!r}"
        assert code is None or error.code == code, f"code {error.code} instead of {code}: {error.message}"
    else:
        raise AssertionError(f"should have failed with {text!r}, answered {answer!r}")


def same(got, wanted):
    """Demands equality and shows both sides."""
    assert got == wanted, f"got    {got!r}\nwanted {wanted!r}"


def run_cases():
    client = MilvusClient(URI, timeout=30)
    for sentence, since, function in _cases:
        if _version(pymilvus.__version__) < _version(since):
            _say({"case": sentence, "skipped": f"pymilvus {pymilvus.__version__} is older than {since}"})
        else:
            _say({"case": sentence, **_outcome(client, function)})
    _say({"finished": True})


def _outcome(client, function):
    name = f"c_{uuid.uuid4().hex}"
    try:
        result = function(client, name)
        if inspect.isawaitable(result):
            asyncio.run(_awaited(result))
        return {"ok": True}
    except Exception:  # a case may fail by anything, the others still run
        return {"ok": False, "error": traceback.format_exc()}
    finally:
        _drop(client, name)


async def _awaited(result):
    return await result


def _drop(client, name):
    try:
        client.drop_collection(name)
    except Exception as error:  # reported, but the case has its outcome already
        print(f"could not drop {name}: {error}", file=sys.stderr)


def _version(text):
    return tuple(int(part) for part in text.split(".")[:2])


def _say(line):
    print(json.dumps(line), flush=True)
