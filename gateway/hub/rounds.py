"""Rounds: what gateways learnt apart comes together. Minutes to hours, over store and forward; gateways come and go.

A round has steps, and each step an end. What comes for another round, or a step that is over, is counted and dropped. All
that a round knows lies in the hub's database: a hub that is killed goes on where it was, and a round whose parties are gone
is dropped at the end of its step.
"""

import asyncio
from collections import Counter

from gateway.attention import party
from gateway.attention.masks import floating
from gateway.attention.privacy import SMALLEST, Accountant
from gateway.core.compat import random_id, wall_ms
from gateway.core.errors import Rejected
from gateway.hub import cohort, round_routes
from gateway.hub.aggregate import RULES, noised, sound, together
from gateway.hub.inbox import Inbox

SCHEMA = ("CREATE TABLE IF NOT EXISTS round(package TEXT PRIMARY KEY, text TEXT NOT NULL)",
          *cohort.SCHEMA,
          "CREATE INDEX IF NOT EXISTS record_update ON record(received_ms) WHERE kind = 'attention_update'")
PLAIN, MASKED = ("update",), ("keys", "shares", "update", "reveal")
POLL_S = 1
SETTINGS = {"options": {
    "package": {"default": "ecg 0.1.0", "type": "str", "help": "name and version of the package that learns"},
    "every_s": {"default": 3600, "type": "int", "min": 0, "max": 31536000, "help": "from the end of a round to the next"},
    "step_s": {"default": 600, "type": "int", "min": 1, "max": 604800, "help": "how long a step waits for those that are away"},
    "least": {"default": 3, "type": "int", "min": 1, "max": 1000000, "help": "gateways without which a round is dropped"},
    "clip": {"default": 2.0, "type": "float", "min": 0.001, "max": 1000, "help": "largest L2 norm of one gateway's part"},
    "noise": {"default": 0.0, "type": "float", "min": 0, "max": 1000, "help": "standard deviation of the noise on the sum, in clips"},
    "delta": {"default": 1e-5, "type": "float", "min": 1e-12, "max": 0.1, "help": "of the privacy that is shown"},
    "budget": {"default": 8.0, "type": "float", "min": 0, "max": 1000, "help": "epsilon at which rounds with noise end for good"},
    "masked": {"default": True, "type": "bool", "help": "sums that this hub cannot take apart; false where it is trusted"},
    "rule": {"default": "trimmed", "type": "str", "choices": RULES, "help": "how parts come together, without noise"},
    "groups": {"default": 1, "type": "int", "min": 1, "max": 1000, "help": "masked: sums of so many groups, over which the rule works"}}}


class Rounds:
    """options: as SETTINGS; attach() before run(). turn() does what is due."""

    def __init__(self, options, clock=wall_ms):
        self.options = options
        self.clock = clock
        self.counters = Counter()
        self.round = self.learnt = None

    def attach(self, ingest):
        """ingest: gateway.hub.ingest.Ingest, whose store it shares."""
        self.ingest, self.store = ingest, ingest.store
        self.inbox = Inbox(ingest.store, self.counters)

    def routes(self):
        """What gateways ask for by HTTP."""
        return round_routes.routes(self)

    def open(self):
        """Make the tables, and go on where the hub was."""
        for statement in SCHEMA:
            self.store._do(statement)
        self.round = self._kept("round")
        self.learnt = self._kept("global_attention") or {"package": self.options["package"], "version": 0, "vector": [], "facts": {}, "spent": {}}
        if self.round and self.round["id"] == self.learnt["facts"].get("round"):  # killed after it was published, before it was over
            self._over("closed")
        self.inbox.since(self.round["opened_ms"] if self.round else self.clock())

    def _kept(self, table):
        return cohort.kept(self.store, table, self.options["package"])

    def _keep(self, table, value):
        cohort.keep(self.store, table, self.options["package"], value)

    async def run(self, up):
        """Do what is due, for ever."""
        await self.ingest.ask(self.open)
        up()
        while True:
            await self.ingest.ask(self.turn)
            await asyncio.sleep(POLL_S)

    def turn(self):
        """Collect; end the step that is over; begin the round that is due."""
        if self.round is None:
            return self._begin()
        given = self.inbox.collect(self.round)
        expected = self.round["expected"]
        if self.clock() >= self.round["closes_ms"] or expected and expected <= len(given):
            try:
                getattr(self, "_end_" + self.round["step"])(given)
            except (Rejected, ValueError, KeyError, TypeError) as error:  # whatever a gateway's numbers may be
                self._drop(str(error) or type(error).__name__)
        return None

    def _begin(self):
        others = cohort.with_others(self.learnt, self._kept("federation"))
        if others:
            self.learnt = others
            self._keep("global_attention", others)
            self.counters["federated"] += 1
        due = self.learnt["facts"].get("closed_ms", 0) + 1000 * self.options["every_s"]
        if self.clock() < due or self._spent():
            return
        steps = MASKED if self.options["masked"] else PLAIN
        self.round = {"id": random_id(), "package": self.options["package"], "base": self.learnt["version"], "opened_ms": self.clock(),
                      "masked": self.options["masked"], "clip": self.options["clip"], "expected": 0, "closes_ms": 0}
        self.counters["begun"] += 1
        self._step(steps[0])

    def _spent(self):
        """Whether one more round would go beyond the privacy budget."""
        noise = self.options["noise"]
        return bool(noise) and Accountant(self.learnt["spent"]).after(noise, self.options["delta"]) > self.options["budget"]

    def _step(self, step, expected=0):
        """Open a step; it ends when `expected` have answered, or in time."""
        self.round.update(step=step, expected=expected, closes_ms=self.clock() + 1000 * self.options["step_s"])
        self._keep("round", self.round)

    def _end_keys(self, given):
        self._enough(len(given), party.LEAST)
        names = sorted(given)
        groups = max(1, min(self.options["groups"], len(names) // max(party.LEAST, 3)))
        self.round["groups"] = {name: i % groups for i, name in enumerate(names)}
        self.round["keys"] = given
        self._step("shares", len(given))

    def _end_shares(self, given):
        self._enough(len(given), party.LEAST)
        self.round["shares"] = given
        self._step("update", len(given))

    def _end_update(self, given):
        self._enough(len(given), self.options["least"])
        if self.round["masked"]:
            self.round["update"] = given
            return self._step("reveal", len(given))
        kept = sound(given, self.options["clip"])
        self.counters["unsound"] += len(given) - len(kept)
        self._enough(len(kept), self.options["least"])
        return self._publish(together(list(kept.values()), self._rule()), len(kept))

    def _end_reveal(self, given):
        means, total = [], 0
        for group in sorted(set(self.round["groups"].values())):
            roster = self.group(group)
            masked = {name: vector for name, vector in self.round["update"].items() if name in roster}
            sharing = [name for name in self.round["shares"] if name in roster]
            if len(masked) >= party.LEAST:
                reveals = {name: told for name, told in given.items() if name in masked}
                means.append(floating(party.unmasked(self.round["id"], roster, masked, reveals, sharing)) / len(masked))
                total += len(masked)
        self._enough(total, self.options["least"])
        self._publish(together(means, self._rule()), total)

    def group(self, number):
        """{name: keys} of a group of this round."""
        return {name: keys for name, keys in self.round["keys"].items() if self.round["groups"][name] == number}

    def _rule(self):
        """Noise hides one gateway in a mean only: what else would depend on one alone is not covered by the accountant."""
        return "mean" if self.options["noise"] else self.options["rule"]

    def _enough(self, count, least):
        if count < least:
            raise Rejected("%d gateways in step %s, %d are needed" % (count, self.round["step"], least), "it is tried again")

    def _publish(self, mean, count):
        """Move the global state, account for the noise, and end the round."""
        o, spent = self.options, Accountant(self.learnt["spent"])
        if o["noise"]:
            spent.add(o["noise"])
        facts = {"gateways": count, "closed_ms": self.clock(), "epsilon": spent.epsilon(o["delta"]) if o["noise"] else None, "delta": o["delta"],
                 "private": bool(o["noise"]) and count >= SMALLEST, "masked": o["masked"], "round": self.round["id"]}
        self.learnt = dict(cohort.moved(self.learnt, noised(mean, count, o["clip"], o["noise"])), facts=facts, spent=spent.to_dict())
        self._keep("global_attention", self.learnt)
        self._over("closed")

    def _drop(self, why):
        self.learnt["facts"].update(dropped=why, closed_ms=self.clock())
        self._over("dropped")

    def _over(self, how):
        self.counters[how] += 1
        self.round = None
        self._keep("round", None)

    def seen_by(self, gateway):
        """What one gateway needs of the round that is open, JSON-safe; None where none is."""
        if self.round is None:
            return None
        seen = {name: self.round[name] for name in ("id", "package", "step", "base", "masked", "clip", "closes_ms")}
        if gateway in self.round.get("keys", {}):
            seen["roster"] = self.group(self.round["groups"][gateway])
            seen["boxes"] = {sender: boxes[gateway] for sender, boxes in self.round.get("shares", {}).items() if gateway in (boxes or {})}
            seen["stayed"] = [name for name in self.round.get("update", {}) if name in seen["roster"]]
        return seen
