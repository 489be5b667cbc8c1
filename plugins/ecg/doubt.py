"""When an ectopic beat is not believed: what its surroundings contradict is noise, a false detection or a swing of the rate.

rr: the numbers of plugins.ecg.rr, in 1/256 of a natural logarithm. The limits were chosen on DS1, on nets that had not seen the
patient, in both leads, at 128 to 500 Hz and upside down; docs/models.md has what they cost and what they save.
"""
# runs on CPython and MicroPython

PRE_8, PRE_LAST, PRE_HIGH = 4, 5, 13  # the interval before: over the median of 8, over the last one, over a long one of this patient
SOONEST = -280  # a third of a long interval: no heart is as fast
EARLY = {"S": -60, "V": -40}  # 21 % and 14 % shorter than a long interval
EARLY_SURELY, EARLY_HERE = -105, -20  # between the two limits of S, the last beats must be slower too: else the rate swings
ROOM = 125  # percent of a usual interval that the two around a single early beat fill at least; noise falls in between
UNLIKE = 90  # percent: what starts in the atria looks like the usual beat in part


def contradicted(label, rr, facts):
    """Whether rhythm and shape speak against `label`."""
    if label not in EARLY:
        return False
    early = rr[PRE_HIGH]
    if not SOONEST < early <= EARLY[label]:
        return True
    if label == "V":
        return False
    return facts["unlike"] > UNLIKE or early > EARLY_SURELY and min(rr[PRE_8], rr[PRE_LAST]) > EARLY_HERE


def crowded(facts, intervals):
    """Whether the intervals around a beat fill too little for a heart that goes on; intervals: those of the last beats."""
    usual = sorted(intervals)[len(intervals) // 2]
    return (facts["before_ms"] + facts["after_ms"]) * 100 < ROOM * usual
