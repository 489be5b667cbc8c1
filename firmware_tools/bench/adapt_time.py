"""What learning costs: a gradient step in forwards, and what the thread that learns does to inference beside it."""

import threading
import time

import numpy as np

from firmware_tools.bench.patients import Bedside
from gateway.attention.slack import Slack
from gateway.attention.service import nice
from gateway.attention.settings import ATTENTION
from gateway.core.records import Features

PACE_S = .004  # between two beats: a hundred streams in real time
PAIRS = 12  # stretches with and without learning, in turn


def best_us(work, windows=15, calls=40):
    """Least mean time of a call over windows, in us: what others do to this machine is not what is asked."""
    times = []
    for _ in range(windows):
        began = time.perf_counter()
        for _ in range(calls):
            work()
        times.append((time.perf_counter() - began) / calls)
    return min(times) * 1e6


def gradient(twin, moments):
    """{"gradient_step_over_forward"}: one step over a batch of 8 beats against 8 forward steps, as both are used."""
    batch, parameters = moments[-twin.size:], twin.parameters
    targets = np.eye(len(twin.classes))[np.zeros(len(batch), int)]
    step = best_us(lambda: twin.gradients(batch, targets, parameters))
    forward = best_us(lambda: [twin.hidden(moment, parameters) for moment in batch])
    return {"gradient_step_over_forward": step / forward}, {"us": {"gradient, batch of 8": step, "8 forwards": forward}}


class Learning(threading.Thread):
    """Learns again and again in the slack, at the priority and share that the gateway gives, until stopped."""

    def __init__(self, bedside):
        super().__init__(daemon=True)
        self.learner, self.name_of, self.over, self.runs = bedside.learner, bedside.patient.name, False, 0
        self.learner.slack = Slack(ATTENTION["options"]["slack_permille"]["default"] / 1000, sleep=self.rest)
        self.going = threading.Event()

    def rest(self, seconds):
        """Rest, and longer while a stretch without learning runs."""
        time.sleep(min(seconds, 1))
        self.going.wait()

    def run(self):
        """The thread."""
        nice()
        while not self.over:
            self.going.wait()
            self.learner.taught[self.name_of] = None
            self.learner.slack.since = time.perf_counter()
            self.learner.learn(self.name_of)
            self.runs += 1


def stretch(model, beats, stream):
    """Times of inference in s, at PACE_S."""
    times = []
    for i, values in enumerate(beats):
        began = time.perf_counter()
        model.infer(Features(stream, i, i, values, {}))
        times.append(time.perf_counter() - began)
        time.sleep(PACE_S)
    return times


def interference(model, patient, twin, anchors, pairs=PAIRS):
    """{"inference_p99_change"}: p99 with learning over p99 without, less 1: the median of pairs of stretches in turn."""
    bedside = Bedside(patient, twin, anchors)
    for _ in range(20):
        bedside.asked()
    learning, times = Learning(bedside), {True: [], False: []}
    learning.start()
    beats = [moment.values for moment in patient.moments]
    for i in range(2 * pairs):
        on = bool(i % 2)
        learning.going.set() if on else learning.going.clear()
        time.sleep(.02)
        times[on].append(float(np.percentile(stretch(model, beats, patient.name), 99)))
    learning.over = True
    learning.going.set()
    learning.join(60)
    bedside.close()
    change = float(np.median(np.array(times[True]) / times[False])) - 1
    return {"inference_p99_change": change}, {"us, p99, median of stretches": {
        "learning beside": float(np.median(times[True])) * 1e6, "alone": float(np.median(times[False])) * 1e6}}
