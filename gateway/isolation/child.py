"""What runs in the other process: python -m gateway.isolation.child. Verbs come as JSON lines, answers go back."""

import asyncio
import ctypes
import json
import os
import resource
import signal
import sys

from gateway.core.errors import HeedError
from gateway.context import GatewayContext
from gateway.discover import Found, load
from gateway.isolation.wire import encode, pack, unpack

PR_SET_PDEATHSIG = 1


def confine(megabytes):
    """End with the parent; take no more memory than the manifest says, beside what Python itself needs."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if megabytes:
        with open("/proc/self/statm", encoding="ascii") as file:
            own = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (own + megabytes * 1000000,) * 2)


def answer_of(part, line, context, loop):
    """The answer to one line, as a dict."""
    try:
        verb, values = json.loads(line)
        result = getattr(part, verb)(*map(unpack, values))
        if asyncio.iscoroutine(result):
            result = loop.run_until_complete(result)
        return {"result": pack(result), "counters": context.counters}
    except HeedError as error:
        return {"error": type(error).__name__, "message": error.message, "hint": error.hint, "counters": context.counters}
    except Exception as error:  # whatever a stranger's part raises
        return {"error": "PluginError", "message": "%s: %s" % (type(error).__name__, error), "counters": context.counters}


def main():
    """Serve until the pipe is closed. The first line says which part to be."""
    # Whatever the part prints goes to stderr: stdout is the wire.
    wire = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    start = json.loads(sys.stdin.buffer.readline())
    context = GatewayContext(start["name"], start["folder"], start["gateway"])
    loop = asyncio.new_event_loop()
    try:
        part = load(Found(start["manifest"], start["path"], start["module"], ""))(start["options"], context)
        confine(start["mb"])
    except HeedError as error:
        wire.write(encode({"error": "PluginError", "message": error.message, "hint": error.hint, "counters": {}}))
        return
    wire.write(encode({"result": None, "counters": {}}))
    for line in sys.stdin.buffer:
        wire.write(encode(answer_of(part, line, context, loop)))


if __name__ == "__main__":
    main()
