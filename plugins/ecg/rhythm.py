"""What a clinic wants to know of a row of beats, in words: runs, pauses, rates, irregular rhythm, a bad signal.

A single early beat is counted, not reported. What is reported needs repetition and confidence, and rests for
a while after it was said. Limits come from the plugin's options.
"""
# runs on CPython and MicroPython

from plugins.ecg.doubt import SWAY, contradicted, crowded

BEATS = 32
LATELY = 8  # beats by which the signal is judged
STEADY = 16  # beats whose mean interval is the rate that is judged
STIR = 40  # percent of a beat's height: an interval in which more than this moves hides a beat that was missed; a pause is stiller by half
STILL = 30  # percent of a beat's height by which the line under a pause moves at most
RAGGED = 30  # percent of change between intervals that no rhythm has: noise is counted as beats
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
        self.answers = ""

    def label(self, inference, features):
        """The class, or UNSURE where the model is in doubt, the signal is poor, the rhythm around the beat speaks against
        it, or early means nothing: where every interval differs from the one before, as in atrial fibrillation, no beat
        can be called an early one."""
        wanted = self.options["confidence_v" if inference.label == "V" else "confidence"]
        sure = max(inference.scores) * 100 >= wanted and not self.noisy()
        lost = contradicted(inference.label, features.values[1], features.facts, self.answers)
        if inference.label == "S":
            single = self.answers[-1:] != "S"
            lost = lost or self.step() > self.options["irregular"] or single and crowded(features.facts, self.intervals(BEATS))
        self.answers = (self.answers + inference.label)[-BEATS:]
        return inference.label if sure and not lost else UNSURE

    def noisy(self):
        """Whether most of the last beats look like nothing that this patient does."""
        last = self.beats[-LATELY:]
        return len(last) == LATELY and sorted([beat[2] for beat in last])[2] > self.options["noise"]

    def beat(self, t_ms, label, facts):
        """A beat of class `label`. facts: before_ms, unlike, stir, sway."""
        self.beats.append((label, facts["before_ms"], facts["unlike"], facts["stir"], facts["sway"]))
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

    def step(self, n=BEATS):
        """Median change from interval to interval over the last n beats, in percent of the mean one; 0 with fewer."""
        intervals = self.intervals(n)
        if len(intervals) < n:
            return 0
        steps = sorted([abs(a - b) for a, b in zip(intervals, intervals[1:])])
        return 100 * steps[len(steps) // 2] * n // max(1, sum(intervals))

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
        _, before_ms, _, stir, sway = self.beats[-1]
        still = stir < STIR // 2 and sway < STILL
        if before_ms >= self.options["pause_ms"] and still and not self.noisy() and len(self.beats) > LATELY:
            return Event("pause", True, "no beat for %d.%d s" % (before_ms // 1000, before_ms % 1000 // 100))
        return None

    def _run(self):
        run = 0
        while run < len(self.beats) and self.beats[-1 - run][0] == "V":
            run += 1
        if run >= 3 and len(self.beats) >= STEADY and not self.noisy() and self._even():
            rate = self.bpm(run - 1)
            name = "ventricular tachycardia" if rate >= 100 else "slow ventricular run"
            return Event("run", True, "%s: %d ventricular beats in a row at %d/min" % (name, run, rate))
        if self.labels(3) == "VVN":
            return Event("couplet", False, "two ventricular beats in a row")
        return None

    def _even(self):
        """Whether the last three beats follow each other as beats do: within a factor of two, with none missed between."""
        (_, first, _, stir, sway), (_, second, _, more, swing) = self.beats[-2:]
        return first <= 2 * second and second <= 2 * first and max(stir, more) < STIR and max(sway, swing) <= SWAY

    def _rate(self):
        """A rate that holds over many beats; ragged intervals make it no fast one, and missed beats no slow one."""
        rate = self.bpm(STEADY)
        if len(self.beats) < STEADY or self.noisy():
            return None
        if rate > self.options["fast_bpm"] and self.step(STEADY) < RAGGED:
            return Event("fast", True, "heart rate %d/min over the last %d beats" % (rate, STEADY))
        missed = [beat for beat in self.beats[-STEADY:] if beat[3] >= STIR or beat[4] > SWAY]
        if rate < self.options["slow_bpm"] and not missed:
            return Event("slow", True, "heart rate %d/min over the last %d beats" % (rate, STEADY))
        return None

    def _bigeminy(self):
        if self.labels(7) in ("NVNVNVN", "VNVNVNV"):
            return Event("bigeminy", False, "every second beat is ventricular")
        if self.labels(7) in ("NNVNNVN", "NVNNVNN", "VNNVNNV"):
            return Event("trigeminy", False, "every third beat is ventricular")
        return None

    def _irregular(self):
        """Large steps between intervals with few ventricular beats, which would explain them: looks like AF."""
        share, labels = self.step(), self.labels(BEATS)
        if share > self.options["irregular"] and not self.noisy() and labels.count("V") + labels.count("F") < BEATS // 3:
            return Event("irregular", False, "irregular rhythm: intervals change by %d %% from beat to beat" % share)
        return None

    def _signal(self):
        if self.noisy():
            return Event("noise", False, "poor signal: beats cannot be judged")
        return None
