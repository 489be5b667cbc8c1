"""heed demo adapt: a real patient, a class of beats judged wrong, a handful of labels, and the rest judged right."""

from pathlib import Path

import numpy as np
from rich.text import Text

from firmware_tools.bench.patients import Bedside, patient_of
from firmware_tools.cli import grid
from firmware_tools.evaluate import ready
from firmware_tools.recordings import ecg_folder, read
from gateway.core.records import Features
from models.ecg.recipe import data
from models.ecg.recipe.evaluate import figures
from models.package import Package, folder_of
from models.twin import Twin
from sensors.wfdb_record import WfdbRecord


def judged(model, patient, beats, parameters):
    """[(sample, label, truth, maps)] of every beat of a record under these parameters, None = as shipped."""
    model.forget(patient.name)
    model.use(patient.name, parameters)
    out = []
    for i, values in enumerate(patient.values):
        answer = model.infer(Features(patient.name, i, i, values, {}))
        truth = data.CLASSES[beats.labels[i]] if beats.labels[i] >= 0 else ""
        out.append((int(beats.r[i]), answer.label, truth, answer.maps))
    model.use(patient.name, None)
    return out


def question(bedside, learner, rate_hz, beats, say):
    """One question of the gateway, answered from the record's annotations. False when it has none."""
    before = dict(learner.counters)
    if not bedside.asked():
        return False
    moment, label = last_word(learner, bedside.patient.name)
    refused = [name[8:] for name in learner.counters if name.startswith("refused_") and learner.counters[name] > before.get(name, 0)]
    state = learner.store.current(bedside.patient.name)[0]
    became = "the guard waits (%s)" % refused[0] if refused else "version %d: %s" % (state.version, state.reason) if state else "nothing to learn yet"
    say(Text("  %6.1f s  it says %s (%.2f), the cardiologist %s; %s" % (
        beats.r[moment.seq] / rate_hz, moment.guess, moment.share, label, became), style="cyan" if state else ""))
    return True


def last_word(learner, stream):
    """(Moment, label) of the label that came last."""
    seq, label = learner.store.rows("SELECT seq, label FROM feedback WHERE stream = ? ORDER BY id DESC", stream)[0]
    return learner.moments.find(stream, seq), label


def show(record, labels, plot, console):
    """Run the demonstration; plot: folder for the pictures, or None."""
    package, model, root = Package(folder_of("ecg")), ready("ecg", "float"), ecg_folder()
    beats, opened = data.load(read, root, record), WfdbRecord(root / "mitdb" / record)
    patient = patient_of(model, beats, opened.rate_hz)
    bedside = Bedside(patient, Twin(package), package.anchors(), learn="all")
    console.print("record %s: the gateway has listened for five minutes, %d beats, and asks for what would help it most" % (record, patient.taught))
    while bedside.given < labels and question(bedside, bedside.learner, opened.rate_hz, beats, console.print):
        pass
    state = bedside.learner.store.current(record)[0]
    runs = [judged(model, patient, beats, parameters) for parameters in (None, state and state.parameters)]
    bedside.close()
    console.print(table_of(patient, runs))
    for path in pictures(opened, patient, runs, Path(plot)) if plot else ():
        console.print("saved %s" % path)
    console.print("Not a medical device.\nnext: heed feedback ask, on a gateway of your own; heed bench adapt")


def table_of(patient, runs):
    """Before and after, over the beats after the first five minutes."""
    rows = []
    tables = [patient.score(np.array([data.CLASSES.index(beat[1]) for beat in run[patient.taught:]])) for run in runs]
    for i, name in enumerate(data.CLASSES):
        if any(table[i].sum() or table[:, i].sum() for table in tables):
            rows.append((name, tables[0][i].sum(), *[cell for table in tables for cell in (
                table[i, i], table[:, i].sum() - table[i, i], "%.3f" % figures(table)[name]["f1"])]))
    return grid("the rest of the record, which nobody labelled", ("class", "beats", "right", "false", "F1", "right after", "false after", "F1 after"), rows)


def pictures(record, patient, runs, folder):
    """The same beat before and after, with what was attended to: one that was wrong and became right."""
    from firmware_tools.plot_ecg import stretch
    folder.mkdir(parents=True, exist_ok=True)
    mended = [i for i in range(patient.taught, len(runs[0])) if runs[0][i][2] and runs[0][i][1] != runs[0][i][2] == runs[1][i][1]]
    if not mended:
        return
    chosen = mended[len(mended) // 2]
    for name, run in zip(("before", "after"), runs):
        path = folder / ("adapt-%s-%s.png" % (record.path.name, name))
        stretch(record, record.lead(""), run, chosen, path, "record %s %s a handful of labels: a beat judged %s, and what was attended to" % (
            record.path.name, name, run[chosen][1]))
        yield path
