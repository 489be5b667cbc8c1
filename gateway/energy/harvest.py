"""What the gateway has harvested, slot by slot, and what that says of the day to come. All in mJ per slot."""
# runs on CPython and MicroPython

SLOT_MS = 1200000
DAY = 72  # slots of 20 minutes
DAYS = 30
RECENT = 7
FADE = 12  # slots: what the last four hours said of the weather fades like this


class Harvest:
    """The last DAYS days, oldest first. add() is called once for each slot that has ended."""

    def __init__(self):
        self.slots = []
        self.next = None
        self.filled = 0

    def add(self, slot, mj):
        """`slot`: number of the slot since 1970. Slots that were missed, and a clock that jumped, are filled with what is
        usual for that time of day; `filled` counts them."""
        if self.next is not None:
            for _ in range((slot - self.next) % DAY):
                self.slots.append(self._usual())
                self.filled += 1
        self.slots.append(max(0, mj))
        if len(self.slots) > DAYS * DAY + DAY:
            del self.slots[:DAY]
        self.next = slot + 1

    def _usual(self):
        same = [self.slots[-DAY * i] for i in range(1, RECENT + 1) if len(self.slots) >= DAY * i]
        return sum(same) // len(same) if same else 0

    def days(self, most=DAYS):
        """The last whole days up to now, newest first: lists of DAY slots that begin at this time of day."""
        n = len(self.slots)
        return [self.slots[n - DAY * (i + 1):n - DAY * i] for i in range(min(most, n // DAY))]

    def mean(self):
        """mJ per day over all that is known; None before the first whole day.

        It forgets faster when the last three days disagree with the thirty before (Trigg and Leach 1967: the gain is the
        share of the error that is bias)."""
        days = [sum(day) for day in self.days()]
        if not days:
            return None
        whole = sum(days) // len(days)
        recent = days[:3]
        errors = [day - whole for day in recent]
        noise = sum([abs(error) for error in errors])
        gain = abs(sum(errors)) * 1000 // noise if noise else 0
        if gain < 999 or len(days) < 6 or 2 * abs(sum(errors)) < len(recent) * whole:
            return whole
        return (2 * whole + sum(recent) // len(recent)) // 3

    def scenarios(self):
        """Days to come, beginning now: each of the last seven blended with their mean, and the mean as clear as today.
        Nothing is known before the first day has passed: then none."""
        days = self.days(RECENT)
        if not days:
            return []
        mean = [sum([day[i] for day in days]) // len(days) for i in range(DAY)]
        out = [[(6 * day[i] + 4 * mean[i]) // 10 for i in range(DAY)] for day in days]
        out.append(self._as_today(mean))
        return out

    def _as_today(self, mean):
        """The mean day, scaled by the clearness of the last hours; the scale fades towards 1."""
        last, weight, seen, usual = self.slots[-DAY:], 1 << 20, 0, 0
        for i in range(DAY - 1, -1, -1):
            seen += last[i] * weight
            usual += mean[i] * weight
            weight = weight * FADE // (FADE + 1)
        clear = min(2000, seen * 1000 // usual) if usual else 1000
        out, extra = [], (clear - 1000) * 1000
        for value in mean:
            out.append(value * (1000000 + extra) // 1000000)
            extra = extra * FADE // (FADE + 1)
        return out

    def poor(self, rank=1):
        """The poorest day but `rank` of those known."""
        days = sorted([(sum(day), day) for day in self.days()])
        return days[min(rank, len(days) - 1)][1] if days else [0] * DAY
