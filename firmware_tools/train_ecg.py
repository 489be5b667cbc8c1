"""heed model train ecg: from recordings to a package with its card. Needs the extra `train`."""

import shutil
from pathlib import Path

import numpy as np

from firmware_tools import card_ecg, looks
from firmware_tools.recordings import ecg_folder, read
from gateway.core.errors import ConfigError
from models.ecg.recipe import anchors, data
from models.package import ROOT

VERSION = "0.1.0"
EPOCHS = 70  # of 20 steps, for each seed
STUDENT = 10  # added to a teacher's seed
STUDENT_EPOCHS = 4 / 3  # of the teachers'
S_OFFSET = -2.5  # chosen on DS1, patient-wise and with stressed patients; see docs/models.md


def trained(records, seed, epochs, work, say, teachers=()):
    """A net, trained now or in an earlier run that ended here."""
    from models.ecg.recipe.net import Net
    from models.ecg.recipe.train import train
    done = work / ("%s-%d-%d.npz" % ("student" if teachers else "seed", seed, epochs))
    if done.exists():
        net = Net(seed)
        net.load(np.load(done))
        return net
    net = train(records, seed, epochs, work / done.stem, say, teachers)
    np.savez(done, **net.weights())
    return net


def run(seeds, epochs, out, work, say, own):
    """Train a teacher for each seed and a student for each, release the first student, judge all, write the card."""
    if own:
        raise ConfigError("the ECG recipe trains on DS1 only", "for recordings of your own: heed model tune ecg --data FOLDER --out NEW")
    from models.ecg.recipe import release
    folder, work, epochs = Path(out or ROOT / "ecg"), Path(work), epochs or EPOCHS
    work.mkdir(parents=True, exist_ok=True)
    root = ecg_folder()
    say("reading DS1 ...")
    records = [lead for name in data.names(root, "DS1") for lead in data.both_leads(read, root, name)]
    teachers = [trained(records, seed, epochs, work, say) for seed in seeds]
    students = [trained(records, seed + STUDENT, int(epochs * STUDENT_EPOCHS), work, say, teachers) for seed in seeds]
    for seed, student in zip(seeds, students):
        target = work / ("package-%d" % seed)
        target.mkdir(exist_ok=True)
        release.write(target, student, records, VERSION, S_OFFSET)
    publish(work, seeds, folder)
    anchors.write(folder, [beats for beats in records if not beats.other_lead])
    looks.note(folder, "release %s, %d seeds" % (VERSION, len(seeds)))
    say("judging on DS2 ...")
    card_ecg.write(folder, [work / ("package-%d" % seed) for seed in seeds], root)
    say("wrote %s\nnext: heed model verify %s --evaluate" % (folder, folder))


def publish(work, seeds, folder):
    """The first student becomes the package."""
    shutil.copytree(work / ("package-%d" % seeds[0]), folder, dirs_exist_ok=True)
