"""What may leave: stated by each plugin in its manifest, and held to at the door of the outbox.

manifest["leaves"] is {kind of summary: {field of data: what it means}}. What is not stated stays here. A plugin that states
nothing may send single numbers and short words only. Signal, that is anything longer than an event needs, leaves
only with a permission that says for whom and until when.
"""

import hashlib
import hmac
import re
from fractions import Fraction

from gateway.core.records import Summary
from gateway.noise import laplace

MAX_VALUES = 32  # numbers and words in one field: what a beat, a car or a minute needs, and a piece of signal exceeds
MAX_TEXT = 256  # characters of one word; a picture in letters exceeds it
MAX_SHORT = 64  # the same, where nothing is stated
MAX_REASON = 200
NAMED = 20  # how many different things held back are counted by their name


class Rules:
    """leaves: of the manifest, or None; permits: {stream: (to, last day, until_ms)}; noise: {kind: (fields, epsilon as text,
    fields without noise)}; key: of the pseudonyms, or None; streams: all names that a pseudonym hides."""

    def __init__(self, leaves=None, permits=None, noise=None, key=None, streams=()):
        self.leaves = leaves
        self.permits = permits or {}
        self.noise = noise or {}
        self.key = key
        names = "|".join(re.escape(name) for name in sorted(streams, key=len, reverse=True))
        self.names = re.compile(r"(?<!\w)(?:%s)(?!\w)" % names) if key and names else None


def size(value):
    """(numbers and words, longest word) in a value, however nested."""
    if isinstance(value, dict):
        values, words = size(list(value.values()))
        return values, max([words, *map(len, value)])
    if isinstance(value, (list, tuple)):
        sizes = [size(item) for item in value]
        return sum(n for n, _ in sizes), max((longest for _, longest in sizes), default=0)
    return 1, len(value) if isinstance(value, str) else 0


def is_raw(value):
    """Whether a value is too long to be a summary of anything."""
    if isinstance(value, (int, float)):  # most are
        return False
    values, longest = size(value)
    return values > MAX_VALUES or longest > MAX_TEXT


def is_single(value):
    """Whether a value is a number or a short word."""
    return size(value)[1] <= MAX_SHORT if isinstance(value, str) else value is None or isinstance(value, (int, float))


def judge(summary, rules, now_ms):
    """(Summary as it may leave, or None; names of what is held back; whether it holds signal)."""
    kind = summary.kind
    if rules.leaves is not None and kind not in rules.leaves:
        return None, [kind], False
    permit = rules.permits.get(summary.stream)
    permit = permit if permit and now_ms < permit[2] else None
    data = {name: value for name, value in summary.data.items() if passes(rules.leaves, kind, name, value, permit)}
    held = [name for name in summary.data if name not in data]
    reason = summary.reason[:MAX_REASON]
    if kind in rules.noise:
        data, beside = noisy(data, *rules.noise[kind])
        held += beside
        reason = "%s; its counts carry noise" % kind  # the plugin's own words would tell them
    raw = permit is not None and any(is_raw(value) for value in data.values())
    if raw:
        data["raw_for"] = "%s, until %s" % permit[:2]
    passed = pseudonymous(Summary(summary.stream, kind, summary.cls, summary.t_ms, reason, data), rules)
    return passed, ["%s.%s" % (kind, name) for name in held], raw


def passes(leaves, kind, name, value, permit):
    """Whether one field may leave."""
    if leaves is None:
        return is_single(value)
    return name in leaves[kind] and (permit is not None or not is_raw(value))


def noisy(data, fields, epsilon, plain):
    """(data with noise on its counts, "name" or "name.part", and beside them only what is `plain`; names of fields that are
    no counts, and "beside_noise" where anything else stays)."""
    out = {name: data[name] for name in plain if name in data}
    for field in fields:
        name, _, part = field.partition(".")
        holder = data.get(name) if part else data
        if name not in data or not isinstance(holder, dict):
            continue
        count = holder.get(part or name, 0)  # a part that is missing has been counted nought times
        if type(count) is int:
            into = out.setdefault(name, {}) if part else out
            into[part or name] = count + laplace(Fraction(epsilon))
    left = [name for name in data if name not in out]
    wrong = [name for name in left if name in fields]
    out["noise"] = {"epsilon": float(epsilon), "fields": list(fields)}
    return out, wrong + ["beside_noise"] * (len(left) > len(wrong))


def pseudonym(key, stream):
    """A name that stays the same and tells nothing to who has not the key: HMAC-SHA-256, cut to 64 bits."""
    return "p-" + hmac.new(key, stream.encode(), hashlib.sha256).hexdigest()[:16]


def pseudonymous(summary, rules):
    """A summary under its pseudonym, and so all that its words name."""
    if rules.key is None:
        return summary

    def alias(text):
        return rules.names.sub(lambda found: pseudonym(rules.key, found[0]), text) if rules.names else text
    stream = summary.stream and pseudonym(rules.key, summary.stream)
    return Summary(stream, summary.kind, summary.cls, summary.t_ms, alias(summary.reason), in_words(summary.data, alias))


def in_words(value, change):
    """A value with change(word) in place of each word in it."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): in_words(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [in_words(item, change) for item in value]
    return value


class Door:
    """The outbox as one plugin's pipeline sees it. context: of the plugin, counts what is held back and says so once."""

    def __init__(self, outbox, rules, context):
        self.outbox = outbox
        self.rules = rules
        self.context = context
        self.room = outbox.room
        self.named = set()

    def offer(self, summaries):
        """Offer what may leave of the summaries; gives the outbox's ticket."""
        out = []
        for summary in summaries:
            passed, held, raw = judge(summary, self.rules, self.context.clock.wall_ms())
            for name in held:
                self._held(name)
            if raw:
                self.context.count("signal_records")
            if passed:
                out.append(passed)
        return self.outbox.offer(out)

    def _held(self, name):
        if name not in self.named and len(self.named) < NAMED:
            self.named.add(name)
            self.context.log("warning", "%s holds back %s: see docs/privacy.md" % (self.context.name, name))
        self.context.count("held_back_" + name if name in self.named else "held_back")
