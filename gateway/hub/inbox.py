"""What gateways sent for a round, out of the records that the hub has stored: at most once each, and only in its time."""

import json

LONGEST = 65536


class Inbox:
    """store: gateway.hub.store; counters: "late", "malformed"."""

    def __init__(self, store, counters):
        self.store, self.counters = store, counters
        self.since(0)

    def since(self, t_ms):
        """Begin at a wall time; what was seen before is forgotten."""
        self.cursor, self.seen, self.boxes = t_ms, set(), {}

    def collect(self, now):
        """{gateway: body} of the open step of a round. now: the round as gateway.hub.rounds keeps it."""
        rows = self.store.query("SELECT gateway, received_ms, data FROM record WHERE kind = 'attention_update' AND received_ms >= ? "
                                "ORDER BY received_ms", (self.cursor,))
        for gateway, received_ms, text in rows:
            self.cursor = max(self.cursor, received_ms)
            data = json.loads(text)
            key = gateway, data.get("round"), data.get("step")
            if key not in self.seen:
                self.seen.add(key)
                self._sort(now, *key, data.get("body"))
        return self.boxes.get((now["id"], now["step"]), {})

    def _sort(self, now, gateway, round_id, step, body):
        """Put one answer where it belongs, or count it."""
        if round_id == now["id"] and gateway in (now.get(step) or {}):
            return  # a hub that was killed reads again what it has
        if (round_id, step) != (now["id"], now["step"]):
            self.counters["late"] += 1
        elif fits(step, body):
            self.boxes.setdefault((round_id, step), {})[gateway] = body
        else:
            self.counters["malformed"] += 1


def fits(step, body):
    """Whether a body has the form of its step."""
    if step == "update":
        return isinstance(body, list) and 0 < len(body) <= LONGEST and all(type(x) in (int, float) for x in body)
    if not isinstance(body, dict) or len(body) > LONGEST:
        return False
    if step == "keys":
        return all(isinstance(body.get(use), str) and len(body[use]) == 64 for use in ("mask", "seal"))
    if step == "shares":
        return all(isinstance(box, str) for box in body.values())
    return all(isinstance(pair, list) and len(pair) == 2 and all(type(x) is int for x in pair) for pair in body.values())
