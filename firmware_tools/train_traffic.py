"""heed model train traffic: from a series to packages with their cards. Needs the extra `train`."""

from pathlib import Path

import numpy as np

from firmware_tools import card_traffic
from firmware_tools.evaluate_traffic import own_series
from firmware_tools.recordings import pems08
from gateway.core.compat import crc32
from models.package import ROOT

VERSION = "0.1.0"
LICENCE = "Apache-2.0; trained on flows of Caltrans PeMS, public agency data"
PASSES = {"traffic_single": 8, "traffic": 14}
LEAST_STEPS = 1500  # short series are gone through more often


def run(seeds, epochs, out, work, say, own):
    """Train the single net and, from it, the network, on PEMS08 or the user's series; judge both, write both cards."""
    from models.traffic.recipe import release
    from models.traffic.recipe.sample import BATCH
    folder, series, net, total = Path(out or ROOT), own_series(own) if own else pems08(), None, 0.0
    windows = len(series.parts()[0])
    for name, sensors in (("traffic_single", 0), ("traffic", len(series.names))):
        passes = epochs or max(PASSES[name], LEAST_STEPS * BATCH // windows)
        say("%s: %d windows of %d sensors, %d passes" % (name, windows, len(series.names), passes))
        net, seconds = trained(series, seeds[0], passes, sensors, net, Path(work) / name, say)
        total += seconds
        release.write(folder / name, net, series, VERSION, "as the data's" if own else LICENCE)
        card_traffic.write(folder / name, series, total, own, say)
    say("wrote %s and traffic_single beside it\nnext: heed model verify %s --evaluate" % (folder / "traffic", folder / "traffic"))


def trained(series, seed, passes, sensors, before, keep, say):
    """(net, seconds of processor time), trained now or by an earlier run that came through. before: the net to begin as."""
    from models.traffic.recipe.net import Net
    from models.traffic.recipe.train import train
    done = keep.with_name("%s-%d-%d-%08x.npz" % (keep.name, seed, passes, crc32(series.values.tobytes())))
    if done.exists():
        net, kept = Net(seed, sensors), np.load(done)
        net.load(kept)
        return net, float(kept["seconds"])
    net, seconds = train(series, seed, passes, sensors, before, say)
    done.parent.mkdir(parents=True, exist_ok=True)
    np.savez(done, seconds=seconds, **net.weights())
    return net, seconds
