"""Pictures of `heed demo --plot`."""

import numpy as np

from gateway.context import GatewayContext
from gateway.core.errors import HeedError
from gateway.core.records import Features
from models.attention import PackageModel
from plugins.ecg.beats import BeatMaker
from plugins.ecg.qrs import QrsDetector
from models.ecg.recipe.data import AAMI, CLASSES
from models.ecg.recipe.evaluate import confusion
from sensors.wfdb_record import WfdbRecord, annotations

WANTED = ("V", "S", "F", "N")


def judged(record, index, model, first, last):
    """[(sample, label, truth, maps)] of a stretch."""
    detector, maker, beats = QrsDetector(record.rate_hz), BeatMaker(record.rate_hz), []
    marks = truths(record)
    for at in range(first, last, 180):
        values = record.read(at, min(180, last - at))[:, index]
        for r, token, facts in maker.push(values, detector.push(values)):
            inference = model.infer(Features("picture", r, 0, list(token), facts))
            beats.append((first + r, inference.label, truth_near(marks, first + r, record.rate_hz), inference.maps))
    return beats


def truths(record):
    """[(sample, class)] where the record has annotations."""
    try:
        return [(at, CLASSES[AAMI[code]]) for at, code in annotations(record.path) if AAMI.get(code, -1) >= 0]
    except HeedError:
        return []


def truth_near(marks, at, rate_hz):
    """Class of the annotation within 150 ms, or ""."""
    near = [label for sample, label in marks if abs(sample - at) <= .15 * rate_hz]
    return near[0] if near else ""


def save_ecg(path, package, folder, first, last):
    """PNGs into `folder`: for each class a beat judged right, and one judged wrong. Gives their paths."""
    from firmware_tools.plot_ecg import confusion_table, stretch
    record = WfdbRecord(path)
    index = record.lead("")
    model = PackageModel({"package": package}, GatewayContext("picture", folder))
    model.load()
    beats = judged(record, index, model, first, last)
    folder.mkdir(parents=True, exist_ok=True)
    for label in WANTED:
        for name, fits in (("right", True), ("wrong", False)):
            found = [i for i, beat in enumerate(beats) if beat[1] == label and beat[2] and (beat[1] == beat[2]) == fits and i > 12]
            if found:
                out = folder / ("ecg-%s-%s-%s.png" % (record.path.name, label, name))
                words = "record %s, %s: a beat judged %s%s, and the beats that it was judged by" % (
                    record.path.name, record.leads[index].name, label, "" if fits else ", wrongly")
                stretch(record, index, beats, found[len(found) // 2], out, words)
                yield out
    if any(beat[2] for beat in beats):
        out = folder / ("ecg-%s-confusion.png" % record.path.name)
        truth, answers = ([CLASSES.index(beat[i]) if beat[i] in CLASSES else -1 for beat in beats] for i in (2, 1))
        confusion_table(confusion(np.array(truth), np.array(answers)), CLASSES, out, "record %s, what was played" % record.path.name)
        yield out
