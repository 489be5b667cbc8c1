"""Payload forms: what a batch looks like upstream. One file each; none of them talks to a network.

A form is made as Form(gateway, options) and gives Messages: will() before the line is up, opened() once it is,
batch(batch) for each batch, closing() before it goes down.
"""

import importlib
from collections import namedtuple

Message = namedtuple("Message", "topic payload retain properties", defaults=(False, {}))


def load(name):
    """The class of the form `name`."""
    return importlib.import_module("gateway.forms." + name).FORM


class Form:
    """Base of all forms: nothing to say but batches. acknowledges: topic of application-level acknowledgements, or ""."""

    acknowledges = ""
    express = False

    def __init__(self, gateway, options):
        self.gateway = gateway
        self.options = options

    def will(self):
        """The Message that the broker sends when this gateway is gone, or None."""

    def opened(self):
        """Messages that begin a connection."""
        return []

    def batch(self, batch):
        """Messages that carry a batch."""
        raise NotImplementedError

    def closing(self):
        """Messages that end a connection in order."""
        return []
