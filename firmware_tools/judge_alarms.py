"""Which alarms were true: each is held against the annotations around it."""

from models.ecg.recipe.data import AAMI, CLASSES

NEAR_S = 12  # an alarm speaks of what was at most this long before it
RATE_S = 30  # and one of the rate of the last 16 beats
SLACK = 0.15  # a rate or a pause is as alarmed when it is within this share of it


def truth_of(result):
    """[(sample, class letter)] of the annotated beats; "Q" for paced and unclassifiable ones."""
    return [(at, "Q" if AAMI[code] < 0 else CLASSES[AAMI[code]]) for at, code in result["marks"] if code in AAMI]


def is_true(event, truth, rate_hz, options):
    """Whether the annotations bear an alarm out."""
    end = event.data.get("r", int(event.t_ms * rate_hz / 1000)) + rate_hz
    kind = event.data["event"]
    reach = RATE_S if kind in ("fast", "slow") else NEAR_S
    near = [beat for beat in truth if end - reach * rate_hz <= beat[0] <= end]
    intervals = [1000 * (b[0] - a[0]) / rate_hz for a, b in zip(near, near[1:])]
    if kind == "run":
        # a fusion or paced beat inside a run does not make the run false
        return any(word in "".join(beat[1] for beat in near) for word in ("VVV", "FVV", "VVF", "VFV", "QVV", "VVQ"))
    if kind == "pause":
        return any(interval >= (1 - SLACK) * options["pause_ms"] for interval in intervals)
    rates = [60000 * 8 / max(1, sum(intervals[i:i + 8])) for i in range(len(intervals) - 7)]
    if kind == "fast":
        return any(rate >= (1 - SLACK) * options["fast_bpm"] for rate in rates)
    if kind == "slow":
        return any(rate <= (1 + SLACK) * options["slow_bpm"] for rate in rates)
    return kind == "lead_off"  # the signal itself says so


def judged(result, options):
    """[(event, true)] of a record's alarms, without those inside flutter, whose beats are not annotated."""
    truth = truth_of(result)
    spans = [at for at, code in result["marks"] if code in "[!]"]
    found = []
    for event in result["events"]:
        at = event.data.get("r", 0)
        if event.cls == "alarm" and not any(abs(at - span) < NEAR_S * result["rate_hz"] for span in spans):
            found.append((event, is_true(event, truth, result["rate_hz"], options)))
    return found


def runs_found(result):
    """(runs of three or more V in the annotations, those with an alarm within NEAR_S seconds)."""
    truth, runs, length = truth_of(result), [], 0
    for at, label in truth + [(0, "end")]:
        if label == "V":
            length += 1
            last = at
        else:
            if length >= 3:
                runs.append(last)
            length = 0
    alarms = [event.data["r"] for event in result["events"] if event.data["event"] == "run"]
    return len(runs), sum(any(abs(run - alarm) <= NEAR_S * result["rate_hz"] for alarm in alarms) for run in runs)
