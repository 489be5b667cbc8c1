"""What gives a camera false alarms, put into the frames of a real recording: a flag, the shadow of a tree, rain by a lamp, an insect.

Each is a function of the frame's number and of a wind (or a seed) only: two runs see the same, another wind moves otherwise.
"""

from functools import partial

import numpy as np

from plugins.vision.retina import parts

FRAME_S = .08
FLAG, TREE = (96, 132), (200, 260)  # height and width in pixels of a frame of 432 x 768
DROPS = 1.2  # near the lens, in each frame


def paint(planes, top, left, alpha, luma, colours=None):
    """Blend (h, w) luma and [two (h, w) colours], weighted by alpha, into the planes at (top, left); what lies outside is cut off."""
    y, u, v = parts(planes)
    top, left = top & ~1, left & ~1
    rows, cols = min(alpha.shape[0], y.shape[0] - top) & ~1, min(alpha.shape[1], y.shape[1] - left) & ~1
    for plane, value, step in [(y, luma, 1)] + [(plane, value, 2) for plane, value in zip((u, v), colours or ())]:
        into = plane[top // step:(top + rows) // step, left // step:(left + cols) // step]
        share = alpha[:rows:step, :cols:step]
        into[...] = np.clip(into * (1 - share) + share * np.broadcast_to(value, alpha.shape)[:rows:step, :cols:step], 0, 255)


def gust(t_s, wind):
    """Strength of the wind, about 0.4 to 1.6: three slow waves that do not repeat within a recording."""
    return 1 + .25 * np.sin(.9 * t_s + wind) + .2 * np.sin(2.3 * t_s + 3 * wind) + .15 * np.sin(4.1 * t_s + 7 * wind)


def flag(top, left, planes, number, wind):
    """A striped cloth on a pole: a travelling wave that grows towards the free edge, lit by its slope."""
    height, width = FLAG
    t_s, strength = number * FRAME_S, gust(number * FRAME_S, wind)
    rows, cols = np.mgrid[0:height + 40, 0:width].astype(np.float32)
    along = cols / width
    phase = 9 * along - 7 * t_s * (.8 + .1 * wind) - .6 * np.sin(1.7 * t_s + wind)
    place = rows - 20 - 14 * strength * along * np.sin(phase) - 12 * along * (1.2 - strength)
    inside = (place >= 0) & (place < height) & (cols < width * (.94 + .04 * np.sin(2 * t_s + wind)))
    stripe = (place // (height / 3)).astype(int) % 2
    light = 1 + .3 * strength * np.cos(phase) * along
    paint(planes, top, left, inside * .97, np.clip(np.where(stripe, 215, 84) * light, 16, 235),
          (np.where(stripe, 126, 96), np.where(stripe, 130, 196)))


def tree(top, left, planes, number, wind):
    """The shadow of a crown that sways: half of the light is left, sun comes through between the leaves, colours stay."""
    height, width = TREE
    t_s, rng = number * FRAME_S, np.random.default_rng(5)
    rows, cols = np.mgrid[0:height, 0:width].astype(np.float32)
    sway = 22 * gust(t_s, wind) * np.sin(1.6 * t_s + wind)
    shade = np.zeros((height, width), np.float32)
    for row, col, radius, lag in zip(rng.uniform(40, 160, 24), rng.uniform(70, 230, 24), rng.uniform(18, 42, 24), rng.uniform(0, 6, 24)):
        row, col = row + 4 * np.sin(5 * t_s + lag), col + sway + 6 * np.sin(4 * t_s + lag + wind)
        part = tuple(slice(max(0, int(at - radius)), int(at + radius) + 2) for at in (row, col))
        far = np.hypot(rows[part] - row, cols[part] - col)
        shade[part] = np.maximum(shade[part], np.clip((radius - far) / 8, 0, 1))
    paint(planes, top, left, .55 * shade, 16)


def insect(planes, number, wind):
    """Something dark and blurred that walks about on the lens, with its wings."""
    h, w = parts(planes)[0].shape
    t_s = number * FRAME_S
    at = [side * (.5 + .3 * np.sin(.5 * t_s * k + wind) + .15 * np.sin(1.3 * t_s * k + 2 * wind)) for side, k in ((h, 1.0), (w, .83))]
    rows, cols = np.mgrid[-40:40, -56:56].astype(np.float32)
    far = np.hypot(rows / (24 + 8 * np.sin(19 * t_s)), cols / 40)
    paint(planes, max(0, int(at[0]) - 40), max(0, int(at[1]) - 56), .85 * np.clip(1.6 - 1.6 * far, 0, 1), 24, (126, 131))


def rain(planes, number, seed):
    """Streaks of drops that fall close to a lamp: bright, blurred, each in one frame only."""
    rng = np.random.default_rng((seed, number))
    h, w = parts(planes)[0].shape
    for _ in range(rng.poisson(DROPS)):
        length, width, slope = int(rng.uniform(120, 260)), rng.uniform(8, 16), rng.uniform(-.1, .2)
        rows, cols = np.mgrid[0:length, 0:72].astype(np.float32)
        across = np.abs(cols - 36 - slope * (rows - length / 2)) / width
        alpha = np.clip(1 - across ** 2, 0, 1) * np.sin(np.pi * (rows + .5) / length) ** .5 * rng.uniform(.45, .75)
        paint(planes, int(rng.uniform(0, h - 60)), int(rng.uniform(0, w - 72)), alpha, 225, (128, 128))


# beside the lane, in tiles that cars pass through, and in it, where cars and disturbance are one object for a while
KINDS = {"flag": partial(flag, 40, 470), "flag in the lane": partial(flag, 100, 330), "shadow": partial(tree, 210, 480),
         "shadow in the lane": partial(tree, 150, 330), "rain": rain,
         "insect": insect}
