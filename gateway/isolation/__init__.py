"""Where a part runs: in the loop, in a thread, or in a process of its own. The verbs stay the same.

inline   no cost; a part that hangs or exits takes the gateway with it. For our own parts.
thread   a part that blocks does not hold the loop up; one that hangs is left behind and counted.
process  nothing that the part does harms the gateway: it is killed when it hangs or takes too much memory.
"""

from gateway.isolation.process import ProcessPart
from gateway.isolation.thread import ThreadPart

VERBS = {"sensor": ("open", "read", "rest", "close"), "plugin": ("push", "decide", "summarise", "finish", "use"),
         "uplink": ("open", "send", "settle", "close")}
GRACE = 20  # a budget is for the usual call; a call may take this many times as long, and at least a second


def isolate(mode, found, options, context, make):
    """The part itself (inline), or a stand-in with the same verbs. make: function that makes the part here."""
    if mode == "inline":
        return make()
    # A sensor waits for its samples as long as it must: only what thinks has a limit.
    budget_s = max(1.0, found.manifest["budget"].get("ms", 100) * GRACE / 1000) if found.kind == "plugin" else None
    if mode == "thread":
        return ThreadPart(make(), VERBS[found.kind], budget_s, context)
    return ProcessPart(found, options, context, VERBS[found.kind], budget_s)
