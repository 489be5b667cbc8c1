"""What is seen of a frame: a coarse look at all of it, and a close look at one rectangle.

A frame is what cameras and codecs give: planes of luma and, at half the size, of the two colour differences (I420, ITU-R
BT.601), as one uint8 array (3 h / 2, w) with h and w even. Colours are made only where the close look falls.
"""

import numpy as np

ROWS, COLS = 54, 96  # cells of the coarse look


def is_frame(planes):
    """Whether a value can be the planes of a frame (see retina.py)."""
    return (getattr(planes, "ndim", 0) == 2 and planes.dtype == "uint8" and min(planes.shape) >= 6
            and planes.shape[0] % 3 == planes.shape[1] % 2 == 0)


def size(planes):
    """(height, width) in pixels."""
    return planes.shape[0] * 2 // 3, planes.shape[1]


def parts(planes):
    """The three planes as views: luma (h, w), both colours (h / 2, w / 2)."""
    h, w = size(planes)
    colours = planes[h:].reshape(2, h // 2, w // 2)
    return planes[:h], colours[0], colours[1]


def sampled(plane, first, last, n):
    """Index of `n` even steps between two places of a side of `plane`, in pixels; always inside."""
    at = first + (np.arange(n) + .5) * (last - first) / n
    return np.clip(at.astype(np.intp), 0, plane - 1)


def shrunk(plane, rect, rows, cols):
    """Mean of 2 x 2 samples in each of rows x cols cells of rect = (top, left, bottom, right): (rows, cols) int16."""
    top, left, bottom, right = rect
    some = plane.take(sampled(plane.shape[0], top, bottom, 2 * rows), 0).take(sampled(plane.shape[1], left, right, 2 * cols), 1)
    some = some.astype(np.int16)
    return (some[::2, ::2] + some[1::2, ::2] + some[::2, 1::2] + some[1::2, 1::2]) >> 2


def coarse(planes):
    """(3, 54, 96) int16: luma and colours of the whole frame."""
    return np.stack([shrunk(plane, (0, 0, *plane.shape), ROWS, COLS) for plane in parts(planes)])


def close(planes, rect, rows, cols):
    """RGB of a rectangle (top, left, bottom, right), in shares of the frame: (rows, cols, 3) int16, 0 to 255."""
    luma, *colours = parts(planes)
    y, u, v = (shrunk(plane, [share * side for share, side in zip(rect, plane.shape * 2)], rows, cols) for plane in (luma, *colours))
    y, u, v = 298 * (y.astype(np.int32) - 16), u.astype(np.int32) - 128, v.astype(np.int32) - 128
    rgb = np.stack([y + 409 * v, y - 100 * u - 208 * v, y + 516 * u], -1) + 128 >> 8
    return np.clip(rgb, 0, 255).astype(np.int16)


def picture(planes, rect, options):
    """What the model takes of a rectangle, a row of numbers; `input`, `grey` and `zero` of the plugin's options say how."""
    rgb = close(planes, rect, *options["input"])
    if options["grey"]:
        rgb = (rgb * (77, 150, 29)).sum(-1, keepdims=True) >> 8
    return (rgb + options["zero"]).ravel()
