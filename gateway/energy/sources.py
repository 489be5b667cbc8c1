"""The meter in use: asked each second, distrusted, and left for the next one when it is gone, stuck or absurd."""

from gateway.core.errors import NotConnected

STUCK = 60  # the same reading so many times in a row, to the last digit, while the load changed
ABSURD = 10  # times the most that the board can draw
RETRY = 300  # readings after which a better meter is tried again


class Sources:
    """meters: best first, the last never fails (the model). most: watts that the board can draw at most."""

    def __init__(self, meters, most, ladder):
        self.meters, self.most, self.ladder = meters, most, ladder
        self.at, self.same, self.last, self.since = 0, 0, None, 0
        self.counters = {"readings": 0, "meter_faults": 0}

    @property
    def name(self):
        """Which meter is in use."""
        return self.meters[self.at].name

    def watts(self, busy):
        """Power now. busy: whether work was done since the last call, so that a live meter would have moved."""
        self._retry()
        while True:
            try:
                return self._sound(self.meters[self.at].watts(), busy)
            except NotConnected as error:
                if self.at == len(self.meters) - 1:
                    return 0.0
                self._next(str(error))

    def _sound(self, watts, busy):
        """The reading, or NotConnected when it cannot be true."""
        self.counters["readings"] += 1
        if self.at == len(self.meters) - 1:
            return max(0.0, watts)
        if not 0 <= watts <= ABSURD * self.most:
            raise NotConnected("%s says %.3g W, this board draws %.3g at most" % (self.name, watts, self.most))
        self.same = self.same + 1 if watts == self.last and busy else 0
        self.last = watts
        if self.same >= STUCK:
            raise NotConnected("%s has said %.3g W %d times" % (self.name, watts, STUCK))
        return watts

    def _next(self, reason):
        self.counters["meter_faults"] += 1
        self.at, self.same, self.last, self.since = self.at + 1, 0, None, 0
        self.ladder.set("meter", 1, "%s; now: %s" % (reason, self.name))

    def _retry(self):
        """Go back to the best once in a while; it must prove itself anew."""
        self.since += 1
        if self.at and self.since >= RETRY:
            self.at, self.same, self.last, self.since = 0, 0, None, 0
            try:
                if 0 <= self.meters[0].watts() <= ABSURD * self.most:
                    self.ladder.set("meter", 0, self.name)
            except NotConnected as error:
                self._next(str(error))


class Charge:
    """mJ in the battery. A gauge is believed as long as it agrees with what was drawn; else the sum of that stands alone.

    Between the bounds that a gauge gives, which tells whole percents or less, the sum goes on. A battery lies: a step of more than a
    tenth between two readings, or a value out of range, is not taken; three sound readings within a tenth of each other are, wherever
    they are. One that says the same while a fifth of the battery was drawn is stuck, unless it is full."""

    LEAP, STILL, FULL = .10, .20, .99
    PATIENCE = 3  # readings in a row that are not believed before it is said

    def __init__(self, gauge, capacity, start, ladder):
        self.gauge, self.capacity, self.ladder = gauge, capacity, ladder
        self.mj, self.known, self.trial = int(start * capacity), None, []
        self.said, self.still, self.wrong = None, 0, 0
        self.counters = {"gauge_faults": 0}

    def update(self, drawn_mj, watts=0.0):
        """So much was drawn since the last call, the board draws `watts`. Gives the mJ that came in; fewer than none when more has
        gone than was known."""
        self.mj = max(0, self.mj - drawn_mj)
        share = self._share(drawn_mj, watts) if self.gauge else None
        if share is None:
            return 0
        before, off = self.mj, self.gauge.band
        self.mj = int(self.capacity * min(1, max(share - off, 0, min(share + off, self.mj / self.capacity))))
        return self.mj - before

    def _share(self, drawn_mj, watts):
        """What the gauge says; None where it is not believed."""
        self.gauge.drawn_w = watts
        try:
            share = self.gauge.share()
            fault = self._fault(share, drawn_mj)
        except NotConnected as error:
            share, fault = 0, str(error)
        self.wrong = self.wrong + 1 if fault else 0
        self.counters["gauge_faults"] += bool(fault)
        if self.wrong in (0, self.PATIENCE):
            self.ladder.set("gauge", int(self.wrong > 0), fault)
        return None if fault else share

    def _fault(self, share, drawn_mj):
        """Why a reading is not believed; "" when it is."""
        if not 0 <= share <= 1:
            return "it says %.3g" % share
        self.said, self.still = share, self.still + drawn_mj if share == self.said else 0
        if self.still > self.STILL * self.capacity and share < self.FULL:
            return "it has said %.0f %% while %.0f %% were drawn" % (100 * share, 100 * self.still / self.capacity)
        if self.known is None or abs(share - self.known) > self.LEAP:
            self.trial = [t for t in self.trial if abs(t - share) <= self.LEAP][-2:] + [share]
            if self.known is not None and len(self.trial) < 3:
                return "it leaps to %.0f %%" % (100 * share)
            self.mj = int(share * self.capacity)  # no harvest
        self.known, self.trial = share, []
        return ""
