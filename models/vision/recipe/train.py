"""Trains the net: `heed model train vision`."""

import time

import numpy as np
import tensorflow as tf

from models.vision.recipe.data import Sampler, scaled
from models.vision.recipe.net import CLASSES, SIDE, Folded, Net, fold, forward
from models.vision.recipe.optimise import Optimiser

BATCH, RATE, WARM, SMOOTH = 64, .03, .06, .1
SMALL, SMALL_UNTIL, MIX_UNTIL = 24, .6, .85  # most of the training sees crops of 24 x 24; the last pictures come unmixed
GENTLE = .2  # of the rate, where a trained net goes on
STATISTICS = 2000  # pictures over which the norms are settled


def one_cycle(share):
    """Learning rate at a share of the training: up over its first 6 %, then down along a cosine."""
    return RATE * (share / WARM if share < WARM else .5 * (1 + np.cos(np.pi * (share - WARM) / (1 - WARM))))


def make_step(net, optimiser, teacher, masks):
    """The compiled step: pictures, targets and rate in, loss out. See train()."""
    @tf.function
    def step(x, y, rate):
        target = (1 - SMOOTH) * y + SMOOTH / CLASSES
        if teacher is not None:
            target = .5 * target + .5 * tf.nn.softmax(forward(teacher, x))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(target, forward(net, x)))
        optimiser.apply(tape.gradient(loss, optimiser.variables_), rate)
        for name, mask in masks.items():
            net.names[name].assign(net.names[name] * mask)
        return loss
    return step


def train(pictures, labels, seed, epochs, kind="attention", keep=None, say=print, look=None, start=None, teacher=None, masks=None):
    """Train one net; gives it with its averaged weights, and the CPU time that it took.

    keep: path of a checkpoint that an interrupted run resumes from; look(net, epoch): called every fifth epoch with the averaged
    weights in place; start: weights to go on from, gently and on whole pictures; teacher: a folded net whose shares are half of
    the target (Hinton, Vinyals and Dean, 2015); masks: {name: zeros where a weight stays zero}.
    """
    net, sampler = Net(seed, kind), Sampler(pictures, labels, seed)
    if start:
        net.load(start)
    optimiser = Optimiser(list(net.names.values()))
    state = tf.train.Checkpoint(optimiser=optimiser, net=net, epoch=tf.Variable(0), cpu_s=tf.Variable(0.0))
    manager = tf.train.CheckpointManager(state, str(keep), max_to_keep=1) if keep else None
    if manager and manager.latest_checkpoint:
        state.restore(manager.latest_checkpoint)
    step, gentle = make_step(net, optimiser, teacher, masks or {}), GENTLE if start else 1
    for epoch in range(int(state.epoch), epochs):
        began, losses, share = time.process_time(), [], epoch / epochs
        for x, y in sampler.epoch(epoch, BATCH, SMALL if share < SMALL_UNTIL and not start else SIDE, share < MIX_UNTIL and not start):
            rate = gentle * one_cycle((epoch + len(losses) * BATCH / len(labels)) / epochs)
            losses.append(float(step(tf.constant(x), tf.constant(y), tf.constant(rate, tf.float32))))
        state.epoch.assign(epoch + 1)
        state.cpu_s.assign_add(time.process_time() - began)
        if manager:
            manager.save()
        say("%s %d epoch %d/%d loss %.4f, %.0f s of CPU time" % (kind, seed, epoch + 1, epochs, np.mean(losses), state.cpu_s))
        if look and (epoch + 1) % 5 == 0:
            kept = net.weights()
            settle(net, optimiser)
            look(net, epoch + 1)
            net.load(kept)
    settle(net, optimiser)
    return net, float(state.cpu_s)


def settle(net, optimiser):
    """Put the averaged weights in."""
    for variable, mean in zip(optimiser.variables_, optimiser.mean):
        variable.assign(mean)


def folded(net, pictures):
    """The trained net as it is used: norms folded in, by the mean and spread over training pictures."""
    some = np.linspace(0, len(pictures) - 1, STATISTICS).astype(int)
    return Folded(net.kind, fold(net, tf.constant(scaled(pictures[some]))))


def accuracy(net, pictures, labels):
    """Share of pictures named rightly."""
    answers = np.concatenate([np.argmax(forward(net, tf.constant(scaled(pictures[at:at + 500]))), 1)
                              for at in range(0, len(labels), 500)])
    return float(np.mean(answers == labels))
