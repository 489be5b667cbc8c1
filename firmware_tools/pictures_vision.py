"""Pictures of `heed demo vision --plot`: the busiest frames with what was looked at, and what looking less costs."""

import numpy as np

from firmware_tools.judge_video import Question, curve, everywhere, frames
from gateway.context import GatewayContext
from gateway.core.records import Sample
from models.attention import PackageModel
from plugins.vision.plugin import VisionPlugin
from plugins.vision.retina import COLS, ROWS, close, size

SHOWN, OBJECTS = 4, 8  # frames, and looks at objects
FRAME_MS = 80


def ready(package, options, context):
    """The model of the demo."""
    rules = VisionPlugin.baseline(options, context)
    if package == "baseline":
        return rules
    model = PackageModel({"package": package}, context, rules)
    model.load()
    return model


def played(path, model, options, context):
    """(frame number, planes, looks, boxes, objects) of each frame: what plot_vision.frame() wants, and what attended() does."""
    plugin = VisionPlugin(options, context)
    for number, planes in enumerate(frames(path)):
        looks, objects = [], []
        for item in plugin.push(Sample("video", number, number * FRAME_MS, (planes,))):
            if hasattr(item, "facts"):
                inference = model.infer(item)
                plugin.decide(item, inference)
                looks.append((item.facts["rect"], word(plugin, item, inference)))
                if "track" in item.facts and inference.maps is not None:
                    objects.append(seen_object(item, inference, options, number))
        tracks = plugin.scenes["video"].tracker.tracks
        boxes = [(tuple(np.divide(track.box, (ROWS, COLS) * 2)), "%s %d" % (track.label(options["call"]), track.number))
                 for track in tracks]
        yield number, planes, [look for look in looks if look[1] is not None], boxes, objects


def seen_object(features, inference, options, number):
    """(picture, weights of its places, words) of one close look at an object."""
    picture = (np.reshape(features.values[0], (*options["input"], -1)) - options["zero"]) / 255
    weights = np.asarray(inference.maps).reshape(-1, np.shape(inference.maps)[-1]).mean(0)
    side = round(len(weights) ** .5)
    words = "%d, frame %d\n%s %d %%" % (features.facts["track"], number, inference.label, round(100 * max(inference.scores)))
    return picture, weights.reshape(side, side), words


def word(plugin, features, inference):
    """What to write into a tile; None for the looks at objects, which have a box."""
    share = sum(inference.scores[i] for i in plugin.watched)
    return None if "track" in features.facts else "%d %%" % round(100 * share)


def save_video(path, package, folder, options):
    """PNGs into `folder`; gives their paths."""
    from firmware_tools import plot_vision
    folder.mkdir(parents=True, exist_ok=True)
    context = GatewayContext("picture", folder)
    model = ready(package, options, context)
    seen = list(played(path, model, options, context))
    busy = sorted(seen[1:], key=lambda found: -len(found[3]) * 100 - len(found[2]))
    picked = []
    for found in busy:  # the busiest frames that lie apart
        if len(picked) < SHOWN and found[2] and all(abs(found[0] - other[0]) > 15 for other in picked):
            picked.append(found)
    for number, planes, looks, boxes, _ in picked:
        out = folder / ("vision-%s-%04d.png" % (path.stem, number))
        h, w = size(planes)
        words = "frame %d: %d of %d tiles looked at, bright; in each the share of %s" % (
            number, len(looks), options["rows"] * options["cols"], options["call"])
        plot_vision.frame(close(planes, (0, 0, 1, 1), h, w) / 255, looks, boxes, options["line"] / 100, out, words)
        yield out
    objects = [each for found in seen for each in found[4]][:OBJECTS]
    if objects:
        out = folder / ("vision-%s-objects.png" % path.stem)
        plot_vision.attended(objects, out, "objects looked at closely; below, bright, the places that the model weighed most")
        yield out
    yield from save_curve(path, model, folder, options)


def save_curve(path, model, folder, options):
    """What the gate saves on this video, by the model and the question of the demo."""
    from firmware_tools import plot_vision
    watched = [i for i, name in enumerate(options["classes"]) if name in options["watch"]]
    if not hasattr(model, "package") or options["input"][0] != options["input"][1] or options["grey"]:
        return
    question = Question(options["call"], model, watched, options["share"] / 100, options["input"][0], options["zero"])
    answers, seen, _ = everywhere(path, [question])
    if answers.mean() > .5:
        return  # a model without a class for nothing, which names the bare scene too: there is nothing to agree with
    rows = curve(answers, seen, [question], options["threshold"])
    out = folder / ("vision-%s-curve.png" % path.stem)
    plot_vision.curve(rows, options["threshold"], [question.what], out, "%s: %d of %d tile-frames hold a %s" % (
        path.name, int(answers.sum()), answers.shape[0] * answers.shape[1], question.what))
    yield out
