"""A camera: looks closely only where the picture changes, follows what stands out, counts what crosses a line."""

import numpy as np

from gateway.core.errors import ConfigError
from gateway.core.plugin import Plugin
from gateway.core.records import Decision, Features, Sample, Summary
from plugins.vision.baseline import Rules, attended
from plugins.vision.regard import Regard
from plugins.vision.retina import is_frame, picture
from plugins.vision.scene import GAP_MS, Scene, square, where

MANIFEST = {
    "kind": "plugin", "name": "vision", "version": "0.1.0", "api": 1,
    "summary": "watches a camera with any picture model, at the places that changed",
    "runs_on": ("cpython",), "needs": ("numpy",), "permissions": (), "budget": {"ms": 100, "mb": 64},
    "leaves": {
        "event": {"event": "what happened", "frame": "number of the frame", "object": "number of the object", "label": "what it was called",
                  "way": "up or down", "tile": "number of the tile", "share": "what the watched classes had, per mille",
                  "report": "number by which the report can be confirmed or denied",
                  "traits": "what the object is like in eleven numbers: place, size, form, light, colours, way (memory.py)",
                  "model": "what answered", "attended": "the three places of the tile looked at most: [row, column, per mille]"},
        "minute": {"from_ms": "begin", "to_ms": "end", "frames": "pictures seen", "dark_frames": "black ones", "bad_frames": "what was none",
                   "objects_at_once": "the most of them", "passed": "objects over the line, by way and name",
                   "tiles_with_watched": "looks that found a watched class", "looked_per_mille": "share of the tiles looked at closely",
                   "passed_over": "looks and reports that were left out, since their like was denied: by kind"}},
    "remembers": ("confirm", "deny"),
    "options": {
        "classes": {"default": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"), "type": "list",
                    "help": "names of the model's classes, in its order"},
        "watch": {"default": ("airplane", "automobile", "ship", "truck"), "type": "list", "help": "classes to report, taken together"},
        "call": {"default": "vehicle", "type": "str", "help": "what the watched classes are called together"},
        "share": {"default": 50, "type": "int", "min": 1, "max": 100, "help": "percent that the watched classes must have together"},
        "input": {"default": (32, 32), "type": "list", "help": "rows and columns that the model takes"},
        "zero": {"default": -128, "type": "int", "min": -128, "max": 0, "help": "what black is to the model: 0 or -128; white is 255 more"},
        "grey": {"default": False, "type": "bool", "help": "whether the model takes one channel instead of three"},
        "rows": {"default": 3, "type": "int", "choices": (1, 2, 3, 6, 9), "help": "rows of tiles"},
        "cols": {"default": 6, "type": "int", "choices": (1, 2, 3, 4, 6, 8, 12), "help": "columns of tiles"},
        "threshold": {"default": 20, "type": "int", "min": 0, "max": 765,
                      "help": "change in grey levels that wakes a tile; 0 = look everywhere"},
        "refresh": {"default": 0, "type": "int", "min": 0, "help": "frames after which each tile is looked at anyway; 0 = never"},
        "looks": {"default": 4, "type": "int", "min": 0, "max": 7, "help": "how often an object that is followed is looked at; 0 = never"},
        "contrast": {"default": 24, "type": "int", "min": 4, "max": 255,
                     "help": "grey levels by which an object stands out from the scene"},
        "smallest": {"default": 30, "type": "int", "min": 4, "help": "cells of 5184 in the frame that an object covers at least"},
        "line": {"default": 50, "type": "int", "min": 1, "max": 99, "help": "where the counting line lies, in percent of the height"},
        "stopped_s": {"default": 30, "type": "int", "min": 0, "help": "an object that stands this long is reported; 0 = never"},
        "still_s": {"default": 10, "type": "int", "min": 1, "help": "a picture without any change for this long is reported"},
        "repeat_s": {"default": 30, "type": "int", "min": 0, "help": "how long the watched classes in the tiles are not said again"},
        "recheck_s": {"default": 3600, "type": "int", "min": 0,
                      "help": "how often one of the things that are passed over is reported all the same; 0 = never"},
    },
}


class VisionPlugin(Plugin):
    """Any number of cameras."""

    baseline = Rules

    def __init__(self, options, context):
        super().__init__(options, context)
        self.scenes, self.regards = {}, {}
        unknown = [name for name in options["watch"] if name not in options["classes"]]
        if unknown or len(options["input"]) != 2:
            raise ConfigError("watch: no class is called %s" % ", ".join(unknown) if unknown else "input must be [rows, columns]",
                              "classes: " + ", ".join(options["classes"]) if unknown else "heed model info shows what the model takes")
        self.watched = [i for i, name in enumerate(options["classes"]) if name in options["watch"]]

    def use(self, stream, state):
        """Regard what a camera sees by what was said of its reports; see Regard.learn."""
        self.context.count("denials_overruled", self._regard(stream).learn(state))

    def _regard(self, stream):
        return self.regards.setdefault(stream, Regard(1000 * self.options["recheck_s"]))

    def push(self, sample):
        """Features of the places to look at closely, and what is due without a model."""
        if isinstance(sample.values[0], list):  # out of the pipe of a process
            sample = Sample(sample.stream, sample.seq, sample.t_ms, (np.array(sample.values[0], np.uint8),))
        scene = self._scene(sample)
        if scene is None:
            return []
        seen, said = scene.look(sample)
        out = [self._event(sample, *found, {}) for found in said]
        if seen is None:
            self.context.count("dark_frames")
        else:
            out += self._looks(scene, sample)
        if scene.digest.due(sample.t_ms):
            out.append(scene.digest.close(sample.t_ms))
        return out

    def _scene(self, sample):
        """The scene of a frame, begun anew where the frame does not join the last; None for what is no frame."""
        planes, scene = sample.values[0], self.scenes.get(sample.stream)
        if not is_frame(planes):
            self.context.count("bad_frames")
            if scene:
                scene.digest.faults += 1
            return None
        if scene is None:
            scene = self.scenes[sample.stream] = Scene(self.options, sample, self._regard(sample.stream))
        elif scene.size != (planes.shape[0] * 2 // 3, planes.shape[1]):
            self.context.count("size_changes")
            scene.restart(sample)
        elif not 0 <= sample.t_ms - scene.t_ms <= GAP_MS:
            self.context.count("frame_gaps")
            scene.restart(sample)
        return scene

    def _looks(self, scene, sample):
        """Features of tiles and objects, after the events that follow from the motion alone."""
        regions, crossed = scene.regions(sample.t_ms)
        scene.digest.looked += len(regions)
        self.context.count("tiles", len(scene.tiles))
        self.context.count("looked", len(regions))
        self.context.count("holes_filled", scene.holes)
        self.context.count("rechecked", scene.rechecks)
        self._pass_over(scene, "looks", scene.gate.spared)
        out = [self._crossing(scene, sample, *found) for found in crossed] + [self._standing(scene, sample, track)
                                                                             for track in scene.stopped(sample.t_ms)]
        return [event for event in out if event] + [
            Features(sample.stream, sample.seq, sample.t_ms, [picture(sample.values[0], rect, self.options)], dict(facts, rect=rect))
            for facts, rect in regions]

    def _pass_over(self, scene, kind, n=1):
        """Count what is left out, since its like was denied."""
        self.context.count("passed_over_" + kind, n)
        scene.digest.over[kind] += n

    def _crossing(self, scene, sample, track, way):
        if track.passed_over():
            return self._pass_over(scene, "crossed")
        label = track.label(self.options["call"])
        scene.digest.crossing(label, way)
        self.context.count("crossed_" + way)
        return self._of(scene, sample, "crossed", "%s %d crossed the line, %s" % (label, track.number, way), track,
                        {"label": label, "way": way})

    def _standing(self, scene, sample, track):
        if track.passed_over():
            return self._pass_over(scene, "stopped")
        label = track.label(self.options["call"])
        words = "%s has stood for %d s, %s" % (label, self.options["stopped_s"], where(square(track.box, scene.size)))
        return self._of(scene, sample, "stopped", words, track, {"label": label})

    def _of(self, scene, sample, kind, words, track, data):
        """An event of an object, with what it takes to confirm or deny it."""
        words += ": its like was denied, is it still so?" if track.tried else ""
        track.tried = False
        return self._event(sample, kind, words, dict(data, object=track.number, report=scene.next_number(), traits=scene.traits(track)))

    def decide(self, features, inference):
        """Keep what was found; report a watched class that comes into a tile."""
        scene, facts = self.scenes[features.stream], features.facts
        if len(inference.scores) != len(self.options["classes"]):
            raise ConfigError("the model tells %d classes apart, `classes` names %d" % (len(inference.scores), len(self.options["classes"])),
                              "heed model info has their names")
        share = sum([inference.scores[i] for i in self.watched])
        hit = 100 * share > self.options["share"]
        if "track" in facts:
            track = scene.track(facts["track"])
            if track:
                track.looks, track.hits = track.looks + 1, track.hits + hit
            return Decision(False, False, 0, "a look at object %d" % facts["track"])
        inside = scene.inside(facts["rect"])
        if hit and inside and all(track.passed_over() for track in inside):
            hit = False
            self._pass_over(scene, "seen")
        was, scene.found[facts["tile"]] = scene.found[facts["tile"]], int(1000 * share) if hit else 0
        new = hit and not was and features.t_ms >= scene.quiet_until and bool(inside)
        if new:
            scene.quiet_until = features.t_ms + 1000 * self.options["repeat_s"]
        scene.digest.hits += hit
        words = "%s in the picture, %s" % (self.options["call"], where(facts["rect"])) if hit else "nothing watched for"
        return Decision(new, False, 0, words)

    def summarise(self, features, inference, decision):
        """The event, with the places of the tile that the model attended to."""
        if not decision.report:
            return []
        scene, tile = self.scenes[features.stream], features.facts["tile"]
        data = {"tile": tile, "share": scene.found[tile], "model": inference.variant}
        if inference.maps is not None:
            data["attended"] = attended(inference.maps)
        track = next(track for track in scene.inside(features.facts["rect"]) if not track.passed_over())
        return [self._of(scene, features, "seen", decision.reason, track, data)]

    def _event(self, sample, kind, reason, data):
        return Summary(sample.stream, "event", "event", sample.t_ms, reason, dict(data, event=kind, frame=sample.seq))

    def finish(self):
        """The minutes that have begun."""
        return [scene.digest.close(scene.t_ms) for _, scene in sorted(self.scenes.items()) if scene.digest.frames]


PLUGIN = VisionPlugin
