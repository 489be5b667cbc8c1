"""When an ectopic beat is not believed: what its surroundings contradict is noise, a false detection or a swing of the rate.

rr: the numbers of plugins.ecg.rr, in 1/256 of a natural logarithm. The limits were chosen on DS1, by nets that had not seen the
patient, in both leads, at 128 to 500 Hz and upside down, and on rhythms made from it; docs/models.md has what they cost and save.
"""
# runs on CPython and MicroPython

PRE_8, PRE_LAST, PRE_HIGH = 4, 5, 13  # the interval before: over the median of 8, over the last one, over a long one of this patient
SOONEST = -280  # a third of a long interval: no beat comes as soon, but a run may be as fast
EARLY_V = -30  # 11 % shorter than a long interval
EARLY_SURELY, EARLY_HERE = -105, -20  # an S that is not a third shorter than a long interval is early among its neighbours too
OFTEN = 12  # of 32 beats: the neighbours of a patient who is mostly ectopic are ectopic
ROOM = 125  # percent of a usual interval that the two around a single early beat fill at least; noise falls in between
SWAY = 60  # percent of the usual beat's height by which the line under a beat may move: an electrode that is pulled moves it more
NOTHING_ALIKE = 100  # percent unlike the usual beat: what starts in the atria resembles it in part


def contradicted(label, rr, facts, answers):
    """Whether rhythm and shape speak against `label`; answers: what the model called the beats before, a word."""
    if label == "V":
        return facts["sway"] > SWAY or rr[PRE_HIGH] > EARLY_V or rr[PRE_HIGH] <= SOONEST and answers[-1:] != "V"
    if label != "S":
        return False
    swings = rr[PRE_HIGH] > EARLY_SURELY and min(rr[PRE_8], rr[PRE_LAST]) > EARLY_HERE and answers.count("S") < OFTEN
    return swings or rr[PRE_HIGH] <= SOONEST or facts["sway"] > SWAY or facts["unlike"] >= NOTHING_ALIKE


def crowded(facts, intervals):
    """Whether the intervals around a beat fill too little for a heart that goes on; intervals: those of the last beats."""
    if not intervals:
        return False
    usual = sorted(intervals)[len(intervals) // 2]
    return (facts["before_ms"] + facts["after_ms"]) * 100 < ROOM * usual
