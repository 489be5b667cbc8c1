"""Prometheus text format 0.0.4 of the gateway's or the hub's own health."""

import re

PREFIX = "heed_"
CONTENT_TYPE = "text/plain; version=0.0.4"
HELP = {
    "up": "1 while the gateway runs and writes its status", "up_seconds": "time since its start",
    "part_state": "1 for the state that a part is in", "part_restarts_total": "restarts of a part",
    "part_total": "what a part has counted", "outbox_total": "what the outbox has counted",
    "outbox_waiting_records": "accepted records that wait", "outbox_waiting_bytes": "their bytes on disk",
    "outbox_hours_left": "hours until the limit, at the rate of the last hour", "outbox_fault": "1 while the outbox cannot commit",
    "uplink_behind_records": "accepted records that an uplink has not delivered yet",
}


def text_of(facts):
    """facts: {name: number, or {(label name, label value): number}}; a name that ends in _total is a counter."""
    lines = []
    for name, value in facts.items():
        words, name = HELP.get(name, "counted since the start"), PREFIX + re.sub(r"\W", "_", name)
        lines.append("# HELP %s %s" % (name, words))
        lines.append("# TYPE %s %s" % (name, "counter" if name.endswith("_total") else "gauge"))
        for labels, number in (value if isinstance(value, dict) else {(): value}).items():
            pairs = ",".join('%s="%s"' % (key, escaped(text)) for key, text in labels)
            lines.append("%s%s %s" % (name, "{%s}" % pairs if pairs else "", number))
    return "\n".join(lines) + "\n"


def escaped(text):
    """A label value as the format wants it."""
    return str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def of_snapshot(snapshot):
    """Metrics of a status snapshot (gateway.status)."""
    outbox, facts = snapshot["outbox"], {}
    states = {(("part", part["name"]), ("state", part["state"])): 1 for part in snapshot["parts"]}
    counters = {(("part", part["name"]), ("counter", name)): n for part in snapshot["parts"] for name, n in part["counters"].items()}
    facts["up"] = int(snapshot.get("state", "running") == "running")
    facts["up_seconds"] = (snapshot["written_ms"] - snapshot["started_ms"]) / 1000
    facts["part_state"] = states
    facts["part_restarts_total"] = {(("part", part["name"]),): part["restarts"] for part in snapshot["parts"]}
    facts["part_total"] = counters
    facts["outbox_waiting_records"] = {(("class", cls),): n for cls, n in outbox["waiting"].items()}
    facts["outbox_waiting_bytes"] = {(("class", cls),): n for cls, n in outbox["bytes"].items()}
    facts["outbox_hours_left"] = {(("class", cls),): hours for cls, hours in outbox["hours_left"].items() if hours is not None}
    facts["uplink_behind_records"] = {(("part", name),): n for name, n in outbox["behind"].items()}
    facts["outbox_total"] = {(("counter", name),): n for name, n in outbox["counters"].items()}
    facts["outbox_fault"] = int(bool(outbox["fault"]))
    return facts
