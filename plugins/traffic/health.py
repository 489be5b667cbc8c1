"""Is the sensor alive? What it reads is not traffic when it reads nothing, the same for ever, or last week again."""
# runs on CPython and MicroPython

MOVES = 10  # below so many counts the same reading twice in a row means nothing
COPIES = 4  # slots in a row that equal the week before: the source fills in what it did not measure
WAS = {"dead": "without a reading", "stuck": "of one and the same reading", "imputed": "of repeating last week"}


class Health:
    """dead, stuck: slots without a reading, or with one and the same, that make a sensor fail."""

    def __init__(self, dead, stuck):
        self.dead, self.stuck = dead, stuck
        self.state = "good"
        self.since = 0

    def update(self, track, slot):
        """The new state ("good", "dead", "stuck", "imputed"), or "" where it has not changed."""
        state = self.judged(track)
        if state == self.state:
            return ""
        self.state, self.since = state, slot
        return state

    def judged(self, track):
        """State of a sensor after its newest slot."""
        if track.absent >= self.dead and (track.value or self.state == "dead"):
            return "dead"
        if track.same >= self.stuck and track.value >= MOVES:
            return "stuck"
        if track.copied >= COPIES and track.same < COPIES:
            return "imputed"
        # what is absent for a while keeps its state: only a reading can say that a sensor is good again
        return self.state if track.absent else "good"


def words(state, was, minutes, value):
    """An event in words."""
    if state == "good":
        return "measures again after %d min %s" % (minutes, WAS[was])
    if state == "dead":
        return "no reading for %d min" % minutes
    if state == "stuck":
        return "has read %s for %d min: stuck" % (value, minutes)
    return "repeats last week, vehicle for vehicle: filled in at its source, not measured"
