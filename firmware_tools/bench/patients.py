"""Patients for adaptation: the beats of a record as the gateway would have judged and remembered them.

Labels come from the first five minutes only; the rest is scored, the same beats whatever the number of labels.
"""

import tempfile
from pathlib import Path

import numpy as np

from firmware_tools.recordings import ecg_folder, read
from gateway.attention.drift import Ground
from gateway.attention.feedback import Feedback
from gateway.attention.learner import LATEST, Learner
from gateway.attention.moments import Moment
from gateway.attention.optimise import judged
from gateway.attention.settings import ATTENTION
from gateway.attention.slack import Slack
from gateway.attention.store import AttentionStore
from gateway.core.errors import HeedError
from gateway.core.records import Features
from models.ecg.recipe import data
from models.ecg.recipe.evaluate import confusion
from models.ecg.recipe.sample import record_tokens
from plugins.ecg.beats import UNIT
from plugins.ecg.rr import UNIT as RR_UNIT

FIRST_S = 300
CHUNK = 16  # beats between two looks at whether the stream has changed
EVENLY = "clinician:bench"


class Patient:
    """One record. moments: of the first minutes; values, hidden (n, width), labels (n,), -1 = not scored: of all beats; taught:
    how many beats lie in the first minutes."""

    def __init__(self, name, moments, values, hidden, labels):
        self.name = name
        self.moments = moments
        self.values = values
        self.hidden = hidden
        self.labels = labels
        self.taught = len(moments)

    def score(self, answers):
        """(4, 4) confusion of the beats after the first minutes. answers: class index of each of them."""
        return confusion(self.labels[self.taught:], answers)


def patient_of(model, beats, rate_hz=360):
    """The Patient of a data.Beats, through the packaged model."""
    beat, rr = record_tokens(beats)
    model.forget(beats.name)
    model.learns = True
    moments, tokens, hidden = [], [], []
    for i in range(len(beats)):
        values = [np.round(beat[i].ravel() * UNIT).astype(np.int16), np.round(rr[i] * RR_UNIT).astype(np.int16)]
        answer = model.infer(Features(beats.name, i, i, values, {}))
        state, judged_of = model.last
        tokens.append(values)
        hidden.append(judged_of)
        if beats.r[i] < FIRST_S * rate_hz:
            moments.append(Moment(beats.name, i, i, answer.label, max(answer.scores), judged_of, values, state))
    return Patient(beats.name, moments, tokens, np.array(hidden), beats.labels)


def rerun(model, patient, parameters):
    """Class index of every beat after the first minutes, when the model itself runs under these parameters from the start."""
    model.forget(patient.name)
    model.use(patient.name, parameters)
    out = [data.CLASSES.index(model.infer(Features(patient.name, i, i, values, {})).label) for i, values in enumerate(patient.values)]
    model.use(patient.name, None)
    return np.array(out[patient.taught:])


def patients_of(model, names):
    """Patients of annotated records by name."""
    root = ecg_folder()
    return [patient_of(model, data.load(read, root, name)) for name in names]


def patients_in(model, folder):
    """Patients of all annotated WFDB records of a folder of the user's own. Raises HeedError where there are none."""
    paths = sorted(path.with_suffix("") for path in Path(folder).glob("*.atr"))
    if not paths:
        raise HeedError("no .atr annotations in %s" % folder, "WFDB records with beat labels are needed")
    found = []
    for path in paths:
        samples, rate_hz, marks = read(path)
        marks = [(at, data.AAMI[code]) for at, code in marks if code in data.AAMI]
        beats = data.beats_of(path.name, np.asarray(samples, np.int64), rate_hz, [m[0] for m in marks], [m[1] for m in marks])
        found.append(patient_of(model, beats, rate_hz))
    return found


class Bedside:
    """A gateway's learner at one patient, on files of its own; labels are given one at a time, as a clinician would."""

    def __init__(self, patient, twin, anchors, wrong=None, **options):
        self.patient, self.wrong = patient, wrong
        self.folder = tempfile.TemporaryDirectory(prefix="heed-")
        chosen = dict({name: spec["default"] for name, spec in ATTENTION["options"].items()}, asks_per_day=1000,
                      asks_open=64)  # a beat of no class of ours is never answered, and is not to end the questions
        self.learner = Learner(AttentionStore(Path(self.folder.name) / "attention.db"), twin, anchors, lambda stream, parameters: None,
                               dict(chosen, **options), slack=Slack(1, sleep=lambda seconds: None))
        for moment in patient.moments:
            self.learner.observe(moment)
        self.given = 0

    def close(self):
        """Let go of the files."""
        self.learner.store.close()
        self.folder.cleanup()

    def asked(self):
        """Answer one question of the gateway. False when it has none."""
        moment = self.learner.ask(self.patient.name)
        return moment is not None and self.give(moment.seq)

    def first(self):
        """Label the next beat in order of time. False when there is none."""
        return self.given < self.patient.taught and self.give(self.given)

    def give(self, seq, learn=True):
        """Label one beat, if it has a class of ours, and learn. wrong(label index) -> label index poisons it."""
        label = int(self.patient.labels[seq])
        self.given += 1
        if label >= 0:
            label = self.wrong(label) if self.wrong else label
            self.learner.door.give(Feedback(self.patient.name, seq, data.CLASSES[label], EVENLY))
            if learn:
                self.learner.learn(self.patient.name)
        return True

    def everything(self):
        """Label all beats of the first minutes, then learn once."""
        for seq in range(self.patient.taught):
            self.give(seq, learn=False)
        self.learner.learn(self.patient.name)

    def deployed(self):
        """(parameters, Ground or None) of what is in use."""
        state = self.learner.store.current(self.patient.name)[0]
        return (state.parameters, Ground(state.facts["ground"])) if state else (self.learner.base(), None)

    def table(self):
        """Confusion of the rest under what is in use, and what takes its place wherever the stream is no longer what it was proven on."""
        return self.patient.score(answers(self.patient, self.deployed(), self.learner.base()))


def answers(patient, deployed, base):
    """Class index of every beat after the first minutes. deployed: (parameters, Ground or None); base: where learning began."""
    learnt, ground = deployed
    out = []
    for at in range(patient.taught, len(patient.hidden), CHUNK):
        parameters = ground.judge(base, learnt, patient.hidden[max(0, at - LATEST):at])[0] if ground else learnt
        out.append(judged(patient.hidden[at:at + CHUNK], parameters).argmax(1))
    return np.concatenate(out)
