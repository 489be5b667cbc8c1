"""Annotated recordings for evaluation and training."""

from pathlib import Path

import numpy as np

from gateway import data
from gateway.core.errors import ConfigError, HeedError
from models.traffic.recipe.data import Series
from sensors.series_file import read as read_series
from sensors.wfdb_record import WfdbRecord, annotations

INVALID = {"16": -1 << 15, "61": -1 << 15, "212": -1 << 11, "24": -1 << 23, "32": -1 << 31, "80": -1 << 7}
MAX_CELLS = 1 << 26


def read(path, lead=""):
    """(samples of one lead, rate_hz, [(sample, code)]) of an annotated WFDB record."""
    record = WfdbRecord(path)
    index = record.lead(lead) if not lead.startswith("not ") else 1 - record.lead(lead[4:])
    return record.read(0, record.length)[:, index], record.rate_hz, annotations(path)


def beat_lead(path):
    """(samples, rate_hz, [(sample, code)], lead) of what a gateway would listen to: MLII or II, else the first; a lead that is
    flat makes room for the next. Samples that the format marks as missing hold the last value. Raises HeedError."""
    record = WfdbRecord(path)
    if not 100 <= record.rate_hz <= 1000:
        raise HeedError("%s has %g Hz; beats are judged at 100 to 1000 Hz" % (path, record.rate_hz), "resample it with `xform`")
    names = [lead.name for lead in record.leads]
    wanted = [names.index(name) for name in ("MLII", "II", "ML2") if name in names]
    samples = record.read(0, record.length)
    for i in wanted + [i for i in range(len(names)) if i not in wanted]:
        kept = held(samples[:, i], INVALID[record.leads[i].format])
        if np.ptp(kept):
            return kept, record.rate_hz, annotations(path), names[i]
    raise HeedError("%s: every lead is flat" % path, "leave the record out")


def held(samples, invalid):
    """Samples with the last valid one in place of those that are missing."""
    known = np.flatnonzero(samples != invalid)
    if len(known) in (0, len(samples)):
        return samples if len(known) else samples * 0
    return samples[known[np.maximum(0, np.searchsorted(known, np.arange(len(samples)), "right") - 1)]]


def ecg_folder():
    """The folder that holds mitdb/, DS1.txt and DS2.txt, or HeedError with how to get it."""
    found = data.find("ecg/mitdb")
    if not found:
        raise HeedError("the MIT-BIH recordings are not here", "`heed data fetch ecg/mitdb`, or set HEED_DATA")
    return Path(found).parent


def traffic_file(name):
    """Path of traffic data by name, or HeedError with how to get it."""
    found = data.find("traffic/" + name)
    if not found:
        raise HeedError("traffic/%s is not here" % name, "`heed data fetch traffic/%s`, or set HEED_DATA" % name.split("/")[0])
    return Path(found)


def pems08():
    """The benchmark's series."""
    return series_of(read_series(traffic_file("pems08/pems08_flow.npz"), first="2016-07-01 00:00"))


def series_of(table):
    """A table of readings on its grid: the first reading of a slot counts, NaN where none came. Raises HeedError for a
    step that does not divide a day."""
    step_ms = table.step_ms
    if step_ms % 60000 or 86400000 % step_ms:
        raise HeedError("a step of %.1f min does not divide a day" % (step_ms / 60000), "give --step, for example 5min or 1h")
    slots = (table.times + 500) // step_ms
    values = np.full((int(slots[-1] - slots[0]) + 1, len(table.names)), np.nan, np.float32)
    if values.size > MAX_CELLS:
        raise HeedError("%d slots of %d sensors are too many" % values.shape, "give a longer step, or fewer rows")
    for slot, counts, there in zip(slots[::-1] - slots[0], table.counts[::-1], table.there[::-1]):
        values[slot, there] = counts[there]
    monday = slots[0] * (step_ms // 60000) + 3 * 1440  # the first of January 1970 was a Thursday
    return Series(values, table.names, step_ms // 60000, int(monday % 10080), int(slots[0]), table.gain)


def step_s(text):
    """Seconds of "15min", "1h" or "300s"."""
    for unit, seconds in (("min", 60), ("h", 3600), ("s", 1)):
        if text.endswith(unit) and text[:-len(unit)].isdigit():
            return int(text[:-len(unit)]) * seconds
    raise ConfigError("%r is no step" % text, "write 5min, 1h or 300s")


def video_file(name):
    """Path of a video by name in the data folder, or as given. Raises HeedError."""
    found = Path(data.find(name) or name)
    if not found.is_file():
        raise HeedError("%s is not here" % name, "give a video file of your own with --video, or set HEED_DATA")
    return found


def decoded(file, side=None):
    """A picture (h, w, 3) uint8 of a file, or of a path, made side x side where asked (extra `vision`)."""
    try:
        from PIL import Image
    except ImportError:
        raise HeedError("Pillow is not here", "pip install 'heed-gateway[vision]'")
    picture = Image.open(file).convert("RGB")
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR) if side else picture)


def cifar(part):
    """(pictures (n, 32, 32, 3) uint8, labels (n,)) of "train" or "val", or HeedError with how to get them."""
    from models.vision.recipe.data import unpack
    found = data.find("vision/images/cifar10_%s_jpg.zip" % part)
    if not found:
        raise HeedError("the CIFAR-10 pictures are not here", "set HEED_DATA to a folder with vision/images/cifar10_%s_jpg.zip" % part)
    return unpack(found, decoded)
