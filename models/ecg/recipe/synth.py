"""Rhythms that the training patients did not have, made from the beats that they did have.

A chunk is (windows, before, labels) as in data.Beats. Everything is drawn from one numpy Generator.
"""

import numpy as np

from models.ecg.recipe.data import PAD
from plugins.ecg.beats import BEFORE, GRID_HZ

R = PAD + BEFORE
P_WAVE = slice(R - 28, R - 9)  # 220 to 70 ms before R
T_FROM = 20  # grid points after R from which the T wave may reach into the next beat


def flatten_p(window, scale):
    """Scale what stands over the line between the P wave's ends."""
    ends = np.linspace(window[P_WAVE.start], window[P_WAVE.stop - 1], P_WAVE.stop - P_WAVE.start)
    window[P_WAVE] = ends + scale * (window[P_WAVE] - ends)


def overlay_t(window, previous, before_ms):
    """Add the previous beat's T wave where an early beat's window begins."""
    shift = int(before_ms * GRID_HZ / 1000)
    i = np.arange(R - 10)
    source = i + shift
    inside = (source >= R + T_FROM) & (source < len(window))
    window[i[inside]] += previous[source[inside]] - previous[-1]


def early(before, i, factor, reset):
    """Beat i comes after `factor` of its interval; the next one as usual (reset) or on the old beat."""
    gain = before[i] * (1 - factor)
    before[i] -= gain
    before[i + 1] += 0 if reset else gain


def atrial(rng, windows, before, labels, i):
    """Beat i becomes atrial premature."""
    early(before, i, rng.uniform(.5, .88), rng.random() < .5)
    flatten_p(windows[i], rng.uniform(-.8, 1))
    overlay_t(windows[i], windows[i - 1], before[i])
    labels[i] = 1


def ventricular(rng, windows, before, labels, i, pool, mix=1.0):
    """Beat i takes the shape of another patient's ventricular beat, in part for a fusion beat."""
    shape = pool[rng.integers(len(pool))]
    height = np.ptp(windows[i]) * rng.uniform(.7, 1.8) / max(1, np.ptp(shape))
    windows[i] = (1 - mix) * windows[i] + mix * height * (shape - np.median(shape)) * rng.choice([1, 1, 1, -1])
    early(before, i, rng.uniform(.5, .95) if mix == 1 else rng.uniform(.85, 1), False)
    labels[i] = 2 if mix == 1 else 3


def sparse_ectopy(rng, windows, before, labels, pool):
    """One to eight beats become ectopic."""
    for i in rng.integers(1, len(labels), rng.integers(1, 9)):
        if labels[i] == 0:
            kind = rng.random()
            if kind < .75:
                atrial(rng, windows, before, labels, i)
            else:
                ventricular(rng, windows, before, labels, i, pool, 1.0 if kind < .9 else rng.uniform(.3, .7))


def frequent_ectopy(rng, windows, before, labels, pool):
    """Twelve to fifty atrial beats in runs of one to eight: the patient whose usual beat is ectopic."""
    due = rng.integers(12, 51)
    while due > 0:
        run = rng.integers(1, 9)
        start = rng.integers(1, len(labels))
        for i in range(start, min(start + run, len(labels))):
            if labels[i] == 0:
                atrial(rng, windows, before, labels, i)
        due -= run


def mostly_ectopic(rng, windows, before, labels, pool):
    """Each sinus beat, after a pause, is followed by one to nine atrial beats: the usual beat is an ectopic one.

    P waves of one focus look alike; the sinus beat is the one that comes late.
    """
    shape, factor, pause = rng.uniform(-.8, .6), rng.uniform(.55, .85), rng.uniform(1.0, 1.9)
    longest = rng.integers(2, 10)
    left = 0
    for i in range(1, len(labels)):
        if left and labels[i] == 0:
            left -= 1
            before[i] *= factor * rng.uniform(.92, 1.08)
            flatten_p(windows[i], shape + rng.normal(0, .1))
            overlay_t(windows[i], windows[i - 1], before[i])
            labels[i] = 1
        else:
            before[i] *= pause * rng.uniform(.85, 1.15) if left == 0 else 1
            left = rng.integers(1, longest + 1)


def fibrillation(rng, windows, before, labels, pool):
    """Atrial fibrillation: intervals at random, no P waves, f waves; the beats stay N."""
    before *= np.exp(rng.normal(0, rng.uniform(.08, .25), len(before))) * rng.uniform(.65, 1.05)
    t = np.arange(windows.shape[1]) / GRID_HZ
    for window in windows:
        flatten_p(window, rng.uniform(-.1, .25))
        wave = np.sin(2 * np.pi * (rng.uniform(4, 9) * t + rng.random()))
        window += np.ptp(window) * rng.uniform(.01, .07) * wave


def dropped(rng, windows, before, labels, pool):
    """Block: some beats do not come. Their slots become part of the pause."""
    for i in rng.integers(1, len(labels), rng.integers(1, 8)):
        before[i] *= rng.uniform(1.4, 2.3)


def arrhythmia(rng, windows, before, labels, pool):
    """Sinus arrhythmia: a slow swing of the rate, which is normal."""
    phase = np.arange(len(before)) * 2 * np.pi / rng.uniform(4, 14) + rng.random() * 6
    before *= 1 + rng.uniform(.03, .18) * np.sin(phase)


SCENES = ((sparse_ectopy, .44), (frequent_ectopy, .12), (mostly_ectopic, .14), (fibrillation, .15), (dropped, .08),
          (arrhythmia, .07))


def rhythm(rng, windows, before, labels, pool):
    """One scene, drawn by its share."""
    scene = rng.choice(len(SCENES), p=[share for _, share in SCENES])
    SCENES[scene][0](rng, windows, before, labels, pool)


def placed(rng, windows):
    """Electrodes, noise and timing differ: amplitude, time scale, shift, noise, wander. Gives model windows."""
    n, wide = windows.shape
    scale = 1 + rng.uniform(-.08, .08)
    grid = np.arange(-BEFORE, wide - 2 * PAD - BEFORE) * scale + R
    height = max(1.0, np.median(np.ptp(windows, axis=1)))
    noise = rng.normal(0, rng.choice([.004, .01, .03], p=[.5, .4, .1]) * height, (n, len(grid)))
    wander = rng.uniform(0, .06) * height * np.sin(np.linspace(0, rng.uniform(.5, 4), len(grid)) + rng.random() * 6)
    out = [np.interp(grid + shift, np.arange(wide), window)
           for shift, window in zip(rng.normal(0, .8, n), windows)]
    return (np.array(out) + noise + wander) * rng.uniform(.6, 1.6)
