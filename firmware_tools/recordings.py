"""Annotated recordings for evaluation and training."""

from pathlib import Path

import numpy as np

from gateway import data
from gateway.core.errors import HeedError
from sensors.wfdb_record import WfdbRecord, annotations

INVALID = {"16": -1 << 15, "61": -1 << 15, "212": -1 << 11, "24": -1 << 23, "32": -1 << 31, "80": -1 << 7}


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
