"""Payload forms: what a batch looks like upstream. One file each; none of them talks to a network.

A form is made as Form(gateway, options) and gives Messages: will() before the line is up, opened() once it is,
batch(batch) for each batch, closing() before it goes down; heard(topic, payload) answers what comes on `listens`.
"""

import importlib
from collections import namedtuple

from gateway.core.errors import ConfigError

Message = namedtuple("Message", "topic payload retain properties qos", defaults=(False, {}, 1))


def load(name):
    """The class of the form `name`. Raises ConfigError where it needs what is not installed."""
    try:
        return importlib.import_module("gateway.forms." + name).FORM
    except ImportError as error:
        raise ConfigError('form = "%s": %s' % (name, error), "pip install 'heed-gateway[%s]'" % name)


class Form:
    """Base of all forms: nothing to say but batches. acknowledges: topic of application-level acknowledgements, or "";
    listens: topic filter of what else it wants to hear, or ""; version: "5" or "3.1.1" where it is defined for one MQTT only;
    memory: dict whose values the uplink keeps over a restart."""

    acknowledges = ""
    listens = ""
    express = False
    version = ""

    def __init__(self, gateway, options):
        self.gateway = gateway
        self.options = options
        self.memory = {}

    def will(self):
        """The Message that the broker sends when this gateway is gone, or None."""

    def opened(self):
        """Messages that begin a connection."""
        return []

    def batch(self, batch):
        """Messages that carry a batch. Raises Rejected when the far end could not take it."""
        raise NotImplementedError

    def heard(self, topic, payload):
        """Messages that answer what came on `listens`. Raises Rejected for what makes no sense."""
        return []

    def closing(self):
        """Messages that end a connection in order."""
        return []
