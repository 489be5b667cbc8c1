"""Trains a net: `heed model train traffic`."""

import time

import numpy as np
import tensorflow as tf

from models.ecg.recipe.train import AdamW
from models.traffic.recipe import ground
from models.traffic.recipe.data import filled, lags, targets
from models.traffic.recipe.net import QUARTERS, WEEKDAYS, Net, forecast
from models.traffic.recipe.sample import BATCH, Sampler

RATE, WARM, DECAY, DROP, AVERAGE, CLIP = 3e-3, 200, .05, .05, .998, 5.0
TOKENS = .65  # share of the sensors that a step sees: neighbours may be missing in use as well


def rate_at(step, total):
    """Learning rate: a short rise, then along a cosine to nothing."""
    return RATE * min(1, (step + 1) / WARM) * .5 * (1 + np.cos(np.pi * step / total))


def begun(series, values, counts, now, seed, sensors, before):
    """A net that begins as one ridge for all sensors, or as the net `before` it."""
    net = Net(seed, sensors)
    if before:
        net.load(before.weights())
        return net
    coefficients = ground.pooled(values, now, series.per_day, targets(counts, now).mean(2) > .5)
    net.load({"ground": coefficients[:-1], "ground_b": coefficients[-1]})
    return net


def step_of(net, optimiser, unit):
    """The compiled training step: absolute error over the targets that count, in `unit` counts."""
    @tf.function
    def step(x, y, counts, quarter, weekday, chosen, rate, seed):
        taken = [0]

        def drop(x):
            taken[0] += 1
            noise = tf.random.stateless_uniform(tf.shape(x), seed + taken[0])
            return x * tf.cast(noise >= DROP, tf.float32) / (1 - DROP)
        with tf.GradientTape() as tape:
            out = forecast(net, x, tf.one_hot(quarter, QUARTERS), tf.one_hot(weekday, WEEKDAYS), chosen, drop)[0]
            loss = tf.reduce_sum(tf.abs(out - y) * counts) / tf.maximum(1.0, tf.reduce_sum(counts)) / unit
        optimiser.apply([tf.convert_to_tensor(g) for g in tape.gradient(loss, optimiser.variables_)], rate)
        return loss
    return step


def train(series, seed, passes, sensors, before=None, say=print):
    """Net trained on the training part of a series, real targets only, and the seconds of processor time it took.

    sensors: 0 for the net of a single one; before: a net to begin as, or None."""
    began, now, values = time.process_time(), series.parts()[0], filled(series)
    counts = ~series.copied() & (np.nan_to_num(series.values) != 0)
    net, unit = begun(series, values, counts, now, seed, sensors, before), values[:now[-1] + 1].std(0)
    optimiser = AdamW(list(net.names.values()), DECAY, AVERAGE, CLIP)
    sampler = Sampler(values, unit, counts, now, series, seed, max(1, round(TOKENS * values.shape[1])))
    step, a_pass = step_of(net, optimiser, float(unit.mean())), max(1, len(now) // BATCH)
    for at in range(passes):
        losses = []
        for i in range(at * a_pass, (at + 1) * a_pass):
            *floats, quarter, weekday, chosen = sampler.batch()
            integers = [tf.constant(x, tf.int32) for x in (quarter, weekday, chosen)]
            rate = tf.constant(rate_at(i, passes * a_pass), tf.float32)
            losses.append(step(*[tf.constant(x) for x in floats], *integers, rate, tf.constant((seed, i * 64), tf.int32)))
        say("pass %d/%d loss %.4f, %.0f s of CPU" % (at + 1, passes, np.mean(losses), time.process_time() - began))
    for variable, average in zip(optimiser.variables_, optimiser.mean):
        variable.assign(average)
    return net, time.process_time() - began


def answers(net, series, now):
    """(windows, sensors, AHEAD) forecasts in counts."""
    @tf.function
    def run(x, quarter, weekday):
        return forecast(net, x, tf.one_hot(quarter, QUARTERS), tf.one_hot(weekday, WEEKDAYS))[0]
    values, out = filled(series), []
    for at in range(0, len(now), 64):
        part = now[at:at + 64]
        out.append(run(tf.constant(lags(values, part, series.per_day)), *[tf.constant(x, tf.int32) for x in series.clock(part)]).numpy())
    return np.concatenate(out)
