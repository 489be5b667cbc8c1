"""What the gateway has harvested, slot by slot, and what that says of the day to come. All in mJ per slot."""
# runs on CPython and MicroPython

SLOT_MS = 1200000
DAY = 72  # slots of 20 minutes
DAYS = 30
RECENT = 7


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

    def hours(self):
        """The last whole days up to now, oldest first: lists of 24 hours, in mJ, that begin at this time of day."""
        step = DAY // 24
        return [[sum(day[i:i + step]) for i in range(0, DAY, step)] for day in reversed(self.days())]
