"""Smaller nets out of a trained one: with its least weights taken out, and taught to a net of half the channels."""

import numpy as np

from models.vision.recipe.train import folded, train

PRUNED, PRUNED_EPOCHS = .5, 3


def least(weights, share):
    """{name: 0 where a filter's weight is among the `share` smallest of its layer, else 1}; magnitude pruning (Han and others, 2015)."""
    return {name: (np.abs(value) >= np.quantile(np.abs(value), share)).astype(np.float32)
            for name, value in weights.items() if value.ndim == 4}


def pruned(net, pictures, labels, say):
    """The net without half of the weights of each layer, trained on for three epochs; folded."""
    masks = least(net.weights(), PRUNED)
    start = {name: value * masks.get(name, 1) for name, value in net.weights().items()}
    small, _ = train(pictures, labels, 1, PRUNED_EPOCHS, net.kind, None, say, None, start, None, masks)
    small.load({name: value * masks.get(name, 1) for name, value in small.weights().items()})  # the running mean took in each step's rest
    return folded(small, pictures)


def student(net, pictures, labels, epochs, say):
    """(a net of half the channels that learns from the net's answers, folded; its trained parameters)."""
    small, _ = train(pictures, labels, 1, epochs, "small", None, say, None, None, folded(net, pictures))
    return folded(small, pictures), small.size()
