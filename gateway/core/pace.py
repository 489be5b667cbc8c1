"""How fast an uplink may talk: records a second, bytes a day, and hours in which only alarms pass."""

from gateway.core.errors import ConfigError

DAY_MS = 86400000
MINUTE_MS = 60000


def minutes(text):
    """Minutes since midnight of "HH:MM". Raises ValueError."""
    hours, _, rest = text.partition(":")
    if not (0 <= int(hours) < 24 and 0 <= int(rest) < 60):
        raise ValueError(text)
    return int(hours) * 60 + int(rest)


def span(text):
    """(begin, end) in minutes of "22:00-06:00"; None of "". Raises ConfigError."""
    try:
        begin, end = [minutes(part) for part in text.split("-")] if text else (0, 0)
    except ValueError:
        raise ConfigError("quiet is %r" % text, 'write a span of UTC, such as "22:00-06:00"')
    return (begin, end) if text else None


class Pace:
    """rate: records a second, 0 = any; daily: bytes a day (UTC), 0 = any; quiet: "HH:MM-HH:MM" in UTC or "".

    now: function that gives wall time in ms. Alarms are held by the rate alone. hold: function that says why else the line
    is closed, "" when it is not.
    """

    hold = str

    def __init__(self, now, rate=0, daily=0, quiet=""):
        self.now, self.rate, self.daily, self.quiet = now, rate, daily, span(quiet)
        self.day, self.used = None, 0

    def spend(self, size):
        """`size` bytes went up."""
        day = self.now() // DAY_MS
        if day != self.day:
            self.day, self.used = day, 0
        self.used += size

    def closed(self):
        """Why only alarms may pass now, in words; "" when all may."""
        now, held = self.now(), self.hold()
        if held:
            return held
        if self.daily and self.day == now // DAY_MS and self.used >= self.daily:
            return "the day's %d bytes are used up" % self.daily
        if self.quiet:
            begin, end = self.quiet
            minute = now % DAY_MS // MINUTE_MS
            if begin <= minute < end or end < begin and (minute >= begin or minute < end):
                return "quiet hours"
        return ""

    def rest_ms(self, records):
        """How long to rest after that many records, so as to keep the rate."""
        return records * 1000 // self.rate if self.rate else 0
