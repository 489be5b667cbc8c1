"""How one camera regards its objects, by what was said of its earlier reports."""

import numpy as np

from plugins.vision.memory import DENIED, Memory
from plugins.vision.retina import COLS, ROWS


class Regard:
    """recheck_ms: how long what is passed over goes unasked; nothing is passed over for ever, whoever denied it."""

    def __init__(self, recheck_ms):
        self.recheck_ms, self.memory, self.since = recheck_ms, None, {}

    def learn(self, state):
        """Take {"examples", "values"} (see Memory), None = nothing was said. Gives how many denials are left out."""
        self.memory = Memory(state["examples"], state["values"]) if state else None
        kept = self.memory.denials() if self.memory else ()
        self.since = {denial: t_ms for denial, t_ms in self.since.items() if denial in kept}
        return self.memory.overruled if self.memory else 0

    def judge(self, track, numbers, t_ms):
        """Note what the traits of an object in this frame amount to; whether it is let through, to be asked about again.

        One denial is asked about each `recheck_ms`, each in its turn."""
        denied = self.memory.credit(numbers) < DENIED
        track.denied.append(denied)
        if not denied or not self.recheck_ms or track.tried:
            return False
        nearest = self.memory.nearest(numbers)
        track.tried = t_ms - self.since.setdefault(nearest, t_ms) >= self.recheck_ms * len(self.memory.denials())
        if track.tried:
            self.since[nearest] = t_ms
        return track.tried


def passed_over(tracks):
    """(54, 96) bool: cells of objects that are passed over, and of no other object. None where there are none."""
    if not any(track.passed_over() for track in tracks):
        return None
    cells = np.zeros((ROWS, COLS), bool)
    for track in sorted(tracks, key=lambda track: not track.passed_over()):
        top, left, bottom, right = track.box
        cells[top:bottom, left:right] = track.passed_over()
    return cells
