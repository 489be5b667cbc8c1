"""What a clinic wants to know of a row of beats, in words: runs, pauses, rates, irregular rhythm, a bad signal.

A single early beat is counted, not reported. What is reported needs repetition and confidence, and rests for
a while after it was said. Limits come from the plugin's options.
"""
# runs on CPython and MicroPython

BEATS = 32
SMOOTH = 8  # beats whose mean interval is the rate that is judged
UNSURE = "?"
NAMES = {"N": "normal", "S": "supraventricular", "V": "ventricular", "F": "fusion", UNSURE: "unsure"}


class Event:
    """kind: one word; alarm: bool; reason: in words."""

    def __init__(self, kind, alarm, reason):
        self.kind = kind
        self.alarm = alarm
        self.reason = reason


class Rhythm:
    """beat() takes the beats of one stream in order and gives the Event that is due, or None."""

    def __init__(self, options):
        self.options = options
        self.beats = []
        self.said = {}
        self.held = {}

    def label(self, inference):
        """The class, or UNSURE where the model is in doubt or the signal is poor."""
        sure = max(inference.scores) * 100 >= self.options["confidence"]
        return inference.label if sure and not self.noisy() else UNSURE

    def noisy(self):
        """Whether most of the last beats look like nothing that this patient does."""
        last = self.beats[-SMOOTH:]
        return len(last) == SMOOTH and sorted([beat[2] for beat in last])[2] > self.options["noise"]

    def beat(self, t_ms, label, facts):
        """A beat of class `label`. facts: before_ms, unlike."""
        self.beats.append((label, facts["before_ms"], facts["unlike"]))
        if len(self.beats) > BEATS:
            self.beats.pop(0)
        for rule in (self._pause, self._run, self._rate, self._bigeminy, self._irregular, self._signal):
            event = rule()
            if event:
                return event if self.due(event, t_ms) else None
        return None

    def due(self, event, t_ms):
        """Whether to say an event: not when its kind was said a short while ago. Then it is counted."""
        if event.kind in self.said and t_ms - self.said[event.kind] < self.options["repeat_s"] * 1000:
            self.held[event.kind] = self.held.get(event.kind, 0) + 1
            return False
        self.said[event.kind] = t_ms
        return True

    def labels(self, n):
        """Classes of the last n beats as a word."""
        return "".join([beat[0] for beat in self.beats[-n:]])

    def intervals(self, n):
        """Intervals of the last n beats in ms."""
        return [beat[1] for beat in self.beats[-n:]]

    def bpm(self, n):
        """Mean rate over the last n beats."""
        intervals = self.intervals(n)
        return 60000 * len(intervals) // max(1, sum(intervals))

    def _pause(self):
        if self.beats[-1][1] >= self.options["pause_ms"] and not self.noisy() and len(self.beats) > SMOOTH:
            return Event("pause", True, "no beat for %d.%d s" % (self.beats[-1][1] // 1000, self.beats[-1][1] % 1000 // 100))
        return None

    def _run(self):
        run = 0
        while run < len(self.beats) and self.beats[-1 - run][0] == "V":
            run += 1
        if run >= 3 and not self.noisy():
            rate = self.bpm(run - 1)
            name = "ventricular tachycardia" if rate >= 100 else "slow ventricular run"
            return Event("run", True, "%s: %d ventricular beats in a row at %d/min" % (name, run, rate))
        if self.labels(3) == "VVN":
            return Event("couplet", False, "two ventricular beats in a row")
        return None

    def _rate(self):
        rate = self.bpm(SMOOTH)
        if len(self.beats) < SMOOTH or self.noisy():
            return None
        if rate > self.options["fast_bpm"]:
            return Event("fast", True, "heart rate %d/min over the last %d beats" % (rate, SMOOTH))
        if rate < self.options["slow_bpm"]:
            return Event("slow", True, "heart rate %d/min over the last %d beats" % (rate, SMOOTH))
        return None

    def _bigeminy(self):
        if self.labels(7) in ("NVNVNVN", "VNVNVNV"):
            return Event("bigeminy", False, "every second beat is ventricular")
        if self.labels(7) in ("NNVNNVN", "NVNNVNN", "VNNVNNV"):
            return Event("trigeminy", False, "every third beat is ventricular")
        return None

    def _irregular(self):
        """Mean step between intervals over 10 % of the mean interval, with few ectopic beats: looks like AF."""
        if len(self.beats) < BEATS or self.noisy():
            return None
        intervals, ectopic = self.intervals(BEATS), BEATS - self.labels(BEATS).count("N")
        steps = sorted([abs(a - b) for a, b in zip(intervals, intervals[1:])])
        share = 100 * steps[len(steps) // 2] * len(intervals) // max(1, sum(intervals))
        if share > self.options["irregular"] and ectopic < BEATS // 3:
            return Event("irregular", False, "irregular rhythm: intervals change by %d %% from beat to beat" % share)
        return None

    def _signal(self):
        if self.noisy():
            return Event("noise", False, "poor signal: beats cannot be judged")
        return None
