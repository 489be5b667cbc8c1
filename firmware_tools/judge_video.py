"""Attention-gated video: what looking only at changed tiles saves, against looking at all of them, on a real recording."""

import time

import numpy as np

from gateway.core.errors import EndOfStream
from gateway.core.records import Features
from plugins.vision.objects import Background
from plugins.vision.plugin import MANIFEST
from plugins.vision.retina import coarse, close
from plugins.vision.saliency import Gate, Tiles
from sensors.media import Media, planes

ROWS, COLS, WIDEST = 3, 6, 960
LEAST, CONTRAST = (MANIFEST["options"][name]["default"] for name in ("smallest", "contrast"))
THRESHOLDS = (5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 100, 120)
CELLS = (1, 16, 48, 64, 96)  # of 288 in a tile that something must cover, where the gate's threshold is the chosen one
ROUNDS = (1, 2, 3, 4, 8, 16, 32)


class Question:
    """A yes-or-no question that a model answers for each tile: is there a `what`? model: PackageModel; at: its columns, added up; share:
    from which on the answer is yes; side: pixels that it takes; zero: what black is to it."""

    def __init__(self, what, model, at, share, side, zero):
        self.what, self.model, self.at, self.share, self.side, self.zero = what, model, at, share, side, zero

    def ask(self, frame, rect):
        """The answer for one rectangle of a frame."""
        picture = (close(frame, rect, self.side, self.side) + self.zero).ravel()
        scores = self.model.infer(Features("video", 0, 0, [picture], {})).scores
        return sum([scores[i] for i in self.at]) > self.share


def frames(path, most=None):
    """Planes of every frame of a recording, or of its first `most`."""
    media, given = Media(str(path), "video", False), 0
    try:
        while given != most:
            yield planes(media.frame(), WIDEST)
            given += 1
    except EndOfStream:
        pass
    finally:
        media.close()


def everywhere(path, questions, most=None):
    """Looks at every tile of every frame. Gives (answers (frames, tiles, questions), coarse looks, CPU s without the latter)."""
    tiles, answers, seen, extra, began = Tiles(ROWS, COLS), [], [], 0.0, time.process_time()
    for frame in frames(path, most):
        answers.append([[question.ask(frame, rect) for question in questions] for rect in tiles.rects])
        at = time.process_time()
        seen.append(coarse(frame))
        extra += time.process_time() - at
    return np.array(answers), seen, time.process_time() - began - extra


def gated(path, questions, threshold, most=None):
    """Looks where the gate says. Gives (answers, share of the tiles looked at, CPU s, decoding and gate included)."""
    tiles, answers, looked, began = Tiles(ROWS, COLS), [], 0, time.process_time()
    gate, scene, kept = Gate(tiles, threshold, 0, LEAST), Background(CONTRAST), np.zeros((len(tiles), len(questions)), bool)
    for frame in frames(path, most):
        seen = coarse(frame)
        chosen_now, emptied = gate.choose(seen, scene.push(seen))
        kept[emptied] = False
        for i in chosen_now:
            kept[i] = [question.ask(frame, tiles.rects[i]) for question in questions]
            looked += 1
        answers.append(kept.copy())
    return np.array(answers), looked / (len(tiles) * len(answers)), time.process_time() - began


def f1(truth, found):
    """F1 of one boolean array against another; 1 where there is nothing to find and nothing was found."""
    hits, total = int((truth & found).sum()), int(truth.sum() + found.sum())
    return 2 * hits / total if total else 1.0


def kept_from(answers, looked, emptied):
    """The answers where a tile keeps the one of its last look, and is empty once it shows the scene; (frames, tiles) bool."""
    told = np.where(emptied[..., None], False, answers)
    last = np.maximum.accumulate(np.where(looked | emptied, np.arange(len(answers))[:, None], 0), axis=0)
    return told[last, np.arange(answers.shape[1])]


def chosen(seen, threshold, least=LEAST):
    """Two (frames, tiles) bool: where the gate looks, and where it sees the bare scene."""
    gate, scene = Gate(Tiles(ROWS, COLS), threshold, 0, least), Background(CONTRAST)
    looked, emptied = np.zeros((2, len(seen), ROWS * COLS), bool)
    for to_look, empty, look in zip(looked, emptied, seen):
        for row, indices in zip((to_look, empty), gate.choose(look, scene.push(look))):
            row[indices] = True
    return looked, emptied


def in_turn(count, every):
    """The same for looking at each tile once in `every` frames: what a gate must beat."""
    looked = (np.arange(count)[:, None] + np.arange(ROWS * COLS)[None]) % every == 0
    looked[0] = True
    return looked, np.zeros_like(looked)


def curve(answers, seen, questions, threshold):
    """[{"rule", "at", "share", "first", "second", what: F1}] for thresholds, for cells that must be covered, and for looking in turn.

    first, second: the worse F1 in the halves of the recording.
    """
    rules = [("gate", at, chosen(seen, at)) for at in sorted({*THRESHOLDS, threshold})]
    rules += [("cells", least, chosen(seen, threshold, least)) for least in CELLS]
    rules += [("in turn", every, in_turn(len(seen), every)) for every in ROUNDS]
    return [row(rule, at, answers, *told, questions) for rule, at, told in rules]


def row(rule, at, answers, looked, emptied, questions):
    """One point of the curve."""
    kept, half = kept_from(answers, looked, emptied), len(answers) // 2
    scores = {q.what: f1(answers[..., i], kept[..., i]) for i, q in enumerate(questions)}
    halves = [min(f1(answers[part][..., i], kept[part][..., i]) for i in range(len(questions)))
              for part in (slice(half), slice(half, None))]
    return dict(scores, rule=rule, at=at, share=float(looked.mean()), first=halves[0], second=halves[1])
