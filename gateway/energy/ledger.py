"""Who spent how much: millijoules by kind and name, day by day."""
# runs on CPython and MicroPython

DAYS = 62
KINDS = ("model", "plugin", "sensor", "uplink", "device", "base")


class Ledger:
    """days: {day since 1970: {"kind/name": [uJ, jobs]}}. The order of names is theirs; at most DAYS days are kept."""

    def __init__(self, days=None):
        self.days = days or {}

    def spend(self, day, kind, name, uj, jobs=0):
        """`uj` microjoules were spent by `name`, for so many jobs."""
        if day not in self.days:
            self.days[day] = {}
            for old in sorted(self.days)[:-DAYS]:
                del self.days[old]
        entry = self.days[day].setdefault(kind + "/" + name, [0, 0])
        entry[0] += uj
        entry[1] += jobs

    def total(self, day, kind=""):
        """mJ of a day, all kinds or one."""
        entries = self.days.get(day, {})
        return sum([entries[key][0] for key in entries if key.startswith(kind)]) // 1000

    def per_job(self, day):
        """mJ of the whole day for each job of a model; 0 before the first."""
        entries = self.days.get(day, {})
        jobs = sum([entries[key][1] for key in entries if key.startswith("model/")])
        return self.total(day) // jobs if jobs else 0
