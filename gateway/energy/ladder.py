"""The degrade ladder: for each cause how far down we are, why, in words; every step counted, and undone by itself."""
# runs on CPython and MicroPython

RUNGS = {
    "energy": ("all that pays runs", "energy is dear: only what is worth most per joule", "reserve: critical jobs only, at their smallest"),
    "heat": ("cool", "hot: largest variants are left out", "very hot: smallest variants only"),
    "accelerator": ("as it should be", "an accelerator is lost: variants on the processor"),
    "meter": ("as found", "the meter is lost or absurd: the next source is used"),
    "gauge": ("as found", "the battery's gauge is lost or lies: the sum of what was drawn stands alone"),
    "clock": ("steady", "the clock jumped: what is usual for the time of day stands in"),
}


class Ladder:
    """log(level, message). counters: steps down and up by cause."""

    def __init__(self, log):
        self.log = log
        self.rungs = {cause: 0 for cause in RUNGS}
        self.reasons = {cause: "" for cause in RUNGS}
        self.counters = {"steps_down": 0, "steps_up": 0}
        self.history = []

    def set(self, cause, rung, reason=""):
        """Be on this rung for this cause. Gives whether that is a step."""
        before = self.rungs[cause]
        self.reasons[cause] = reason
        if rung == before:
            return False
        self.rungs[cause] = rung
        self.counters["steps_down" if rung > before else "steps_up"] += 1
        words = "%s: %s%s" % (cause, RUNGS[cause][rung], reason and " (" + reason + ")")
        self.history = self.history[-31:] + [words]
        self.log("warning" if rung > before else "info", words)
        return True

    def shown(self):
        """[[cause, rung, words, reason]] of what is not as it should be."""
        return [[cause, self.rungs[cause], RUNGS[cause][self.rungs[cause]], self.reasons[cause]]
                for cause in sorted(RUNGS) if self.rungs[cause]]
