"""heed model train vision: from pictures to a package with its card. Needs the extras `train` and `vision`."""

from pathlib import Path

import numpy as np

from firmware_tools import card_vision, looks
from firmware_tools.recordings import cifar
from gateway.core.errors import ConfigError
from models.package import ROOT
from models.vision.recipe import data

VERSION = "0.1.0"
EPOCHS = 40


def trained(pictures, held, seed, epochs, kind, work, say):
    """(net, CPU seconds), trained now or in an earlier run that ended here."""
    from models.vision.recipe.net import Net
    from models.vision.recipe.train import accuracy, folded, train
    done = work / ("%s-%d-%d.npz" % (kind, seed, epochs))
    if not done.exists():
        net, cpu_s = train(*pictures, seed, epochs, kind, work / done.stem, say, lambda net, epoch: say(
            "%s, epoch %d: %.1f %% of the held-out pictures" % (kind, epoch, 100 * accuracy(folded(net, pictures[0]), *held))))
        np.savez(done, cpu_s=cpu_s, **net.weights())
    kept = np.load(done)
    net = Net(seed, kind)
    net.load(kept)
    return net, float(kept["cpu_s"])


def run(seeds, epochs, out, work, say, own=None):
    """Train the net and its convolutional rival the same way, with the first of `seeds`; release, judge, write the card."""
    from models.vision.recipe import release
    if own:
        raise ConfigError("vision is trained on CIFAR-10", "heed model train vision")
    folder, work = Path(out or ROOT / "vision"), Path(work)
    work.mkdir(parents=True, exist_ok=True)
    taught, held = data.split(*cifar("train"))
    (net, took), (rival, rival_took) = (trained(taught, held, seeds[0], epochs or EPOCHS, kind, work, say)
                                        for kind in ("attention", "conv"))
    say("exporting ...")
    release.write(folder, net, taught[0], VERSION, rival, {"attention": round(took), "conv": round(rival_took)})
    looks.note(folder, "release %s" % VERSION)
    say("judging on the test pictures ...")
    card_vision.write(folder)
    say("wrote %s\nnext: heed model verify %s --evaluate" % (folder, folder))
