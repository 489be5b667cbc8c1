"""Attention-gated video: what looking only at changed tiles saves, against looking at all of them, on a real recording."""

import time

import numpy as np

from gateway.core.errors import EndOfStream
from gateway.core.records import Features
from plugins.vision.retina import coarse, close
from plugins.vision.saliency import Gate, Tiles
from sensors.media import Media, planes

ROWS, COLS, WIDEST = 3, 6, 960
THRESHOLDS = (5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 100, 120)
ROUNDS = (1, 2, 3, 4, 8, 16, 32)


class Question:
    """A yes-or-no question that a model answers for each tile: is there a `what`? model: PackageModel; at: its columns, added up; share:
    from which on the answer is yes; side: pixels that it takes; zero: what black is to it."""

    def __init__(self, what, model, at, share, side, zero):
        self.what, self.model, self.at, self.share, self.side, self.zero = what, model, at, share, side, zero

    def ask(self, frame, rect):
        """The answer for one rectangle of a frame."""
        picture = close(frame, rect, self.side, self.side) + self.zero
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
    gate, kept = Gate(tiles, threshold, 0), np.zeros((len(tiles), len(questions)), bool)
    for frame in frames(path, most):
        for i in gate.choose(coarse(frame)):
            kept[i] = [question.ask(frame, tiles.rects[i]) for question in questions]
            looked += 1
        answers.append(kept.copy())
    return np.array(answers), looked / (len(tiles) * len(answers)), time.process_time() - began


def f1(truth, found):
    """F1 of one boolean array against another; 1 where there is nothing to find and nothing was found."""
    hits, total = int((truth & found).sum()), int(truth.sum() + found.sum())
    return 2 * hits / total if total else 1.0


def kept_from(answers, looked):
    """The answers where a tile keeps the one of its last look; looked: (frames, tiles) bool."""
    last = np.maximum.accumulate(np.where(looked, np.arange(len(answers))[:, None], 0), axis=0)
    return answers[last, np.arange(answers.shape[1])]


def chosen(seen, threshold):
    """(frames, tiles) bool: where the gate looks."""
    gate, looked = Gate(Tiles(ROWS, COLS), threshold, 0), np.zeros((len(seen), ROWS * COLS), bool)
    for row, look in zip(looked, seen):
        row[gate.choose(look)] = True
    return looked


def in_turn(count, every):
    """(frames, tiles) bool of looking at each tile once in `every` frames: what a gate must beat."""
    looked = (np.arange(count)[:, None] + np.arange(ROWS * COLS)[None]) % every == 0
    looked[0] = True
    return looked


def curve(answers, seen, questions, threshold):
    """[{"rule", "at", "share", "first", "second", what: F1}] for thresholds, and for looking in turn. first, second: F1 of the halves."""
    rules = [("gate", at, chosen(seen, at)) for at in sorted({*THRESHOLDS, threshold})]
    rules += [("in turn", every, in_turn(len(seen), every)) for every in ROUNDS]
    return [row(rule, at, answers, looked, questions) for rule, at, looked in rules]


def row(rule, at, answers, looked, questions):
    """One point of the curve."""
    kept, half = kept_from(answers, looked), len(answers) // 2
    scores = {q.what: f1(answers[..., i], kept[..., i]) for i, q in enumerate(questions)}
    halves = [min(f1(answers[part][..., i], kept[part][..., i]) for i in range(len(questions)))
              for part in (slice(half), slice(half, None))]
    return dict(scores, rule=rule, at=at, share=float(looked.mean()), first=halves[0], second=halves[1])
