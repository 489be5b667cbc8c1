"""Trains the net: `heed model train ecg`, or python -m models.ecg.recipe.train."""

import time

import numpy as np
import tensorflow as tf

from models.ecg.recipe.net import CLASSES, Net, sequence
from models.ecg.recipe.sample import Sampler, record_tokens

BATCH, STEPS, RATE, DECAY, DROP, SMOOTH, AVERAGE = 16, 20, 3e-3, .02, .1, .05, .99
CHUNK = 512
HISTORY = 64  # two blocks of 32 beats


class AdamW(tf.Module):
    """Decoupled weight decay (Loshchilov and Hutter, 2019), with a running mean of the weights."""

    def __init__(self, variables, decay=DECAY, average=AVERAGE, clip=1.0):
        super().__init__()
        self.variables_, self.decay, self.average, self.clip = variables, decay, average, clip
        self.m, self.v, self.mean = ([tf.Variable(fill(v)) for v in variables]
                                     for fill in (tf.zeros_like, tf.zeros_like, tf.identity))
        self.t = tf.Variable(0.0)

    def apply(self, gradients, rate):
        """One step; matrices decay, the rest does not."""
        self.t.assign_add(1.0)
        gradients, _ = tf.clip_by_global_norm(gradients, self.clip)
        for x, g, m, v, mean in zip(self.variables_, gradients, self.m, self.v, self.mean):
            m.assign(.9 * m + .1 * g)
            v.assign(.99 * v + .01 * tf.square(g))
            step = m / (1 - .9 ** self.t) / (tf.sqrt(v / (1 - .99 ** self.t)) + 1e-8)
            x.assign_sub(rate * (step + (self.decay * x if len(x.shape) > 1 else 0)))
            mean.assign(self.average * mean + (1 - self.average) * x)


def loss_of(net, beat, rr, labels, weights, teacher):
    """Smoothed cross-entropy, weighted by class; with a teacher, half of it against the teacher's shares."""
    logits = tf.nn.log_softmax(sequence(net, beat, rr, DROP))
    target = (1 - SMOOTH) * tf.one_hot(tf.maximum(labels, 0), CLASSES) + SMOOTH / CLASSES
    if teacher is not None:
        target = .4 * target + .6 * teacher
    weight = tf.gather(weights, tf.maximum(labels, 0)) * tf.cast(labels >= 0, tf.float32)
    return -tf.reduce_sum(weight[..., None] * target * logits) / tf.reduce_sum(weight)


def class_weights(records):
    """count ** -0.5, F halved, mean 1."""
    counts = np.array([sum(int((r.labels == c).sum()) for r in records) for c in range(CLASSES)], np.float32)
    weights = np.maximum(counts, 1) ** -.5 * [1, 1, 1, .5]
    return tf.constant(weights / weights[0], tf.float32)


def one_cycle(step, total):
    """Learning rate: up over a tenth, down along a cosine (Smith, 2018)."""
    warm = total // 10
    return RATE * (step + 1) / warm if step < warm else RATE * .5 * (1 + np.cos(np.pi * (step - warm) / (total - warm)))


def train(records, seed, epochs, keep=None, say=print, teachers=()):
    """Train one net on records (list of data.Beats). keep: path of a checkpoint that an interrupted run resumes
    from. Gives the net with its averaged weights."""
    net, sampler, weights = Net(seed), Sampler(records, seed), class_weights(records)
    optimiser = AdamW(list(net.names.values()))
    state = tf.train.Checkpoint(optimiser=optimiser, net=net, epoch=tf.Variable(0))
    manager = tf.train.CheckpointManager(state, str(keep), max_to_keep=1) if keep else None
    if manager and manager.latest_checkpoint:
        state.restore(manager.latest_checkpoint)
        sampler.rng = np.random.default_rng((seed, int(state.epoch)))

    @tf.function
    def step(beat, rr, labels, rate):
        teacher = tf.add_n([tf.nn.softmax(sequence(t, beat, rr)) for t in teachers]) / len(teachers) if teachers else None
        with tf.GradientTape() as tape:
            loss = loss_of(net, beat, rr, labels, weights, teacher)
        optimiser.apply(tape.gradient(loss, optimiser.variables_), rate)
        return loss

    for epoch in range(int(state.epoch), epochs):
        began, losses = time.monotonic(), []
        for i in range(STEPS):
            beat, rr, labels = sampler.batch(BATCH)
            rate = tf.constant(one_cycle(epoch * STEPS + i, epochs * STEPS), tf.float32)
            losses.append(float(step(tf.constant(beat), tf.constant(rr), tf.constant(labels, tf.int32), rate)))
        state.epoch.assign(epoch + 1)
        if manager:
            manager.save()
        say("seed %d epoch %d/%d loss %.4f %.1fs" % (seed, epoch + 1, epochs, np.mean(losses), time.monotonic() - began))
    for variable, mean in zip(optimiser.variables_, optimiser.mean):
        variable.assign(mean)
    return net


def logits_of(net, beats):
    """Logits (n, 4) of a whole record: chunks with the history that reaches into them."""
    beat, rr = record_tokens(beats)
    out = []
    for at in range(0, len(rr), CHUNK):
        first = max(0, at - HISTORY)
        part = sequence(net, beat[None, first:at + CHUNK], rr[None, first:at + CHUNK]).numpy()[0]
        out.append(part[at - first:])
    return np.concatenate(out)
