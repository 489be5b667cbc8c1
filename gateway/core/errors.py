"""What can go wrong, and what the caller does about it.

HeedError                 message + hint (what to do next)
 +- ConfigError           the settings are wrong: never retried
 +- NotConnected          the other side is away: retried with back-off
 +- EndOfStream           the source has finished: not a fault
 +- Rejected              this record will never be taken: count it, move on
 +- PluginError           a part broke its contract: restarted, then parked
 +- ModelError            a model cannot be loaded or run: the next variant is tried
 +- UpdateError           an update is refused: the running version stays
"""


class HeedError(Exception):
    """A fault with a remedy. `message`: what and where. `hint`: what to do next."""

    def __init__(self, message, hint=""):
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self):
        return self.message + (" (" + self.hint + ")" if self.hint else "")


class ConfigError(HeedError):
    """The settings are wrong."""


class NotConnected(HeedError):
    """The device or the far end does not answer; it may come back."""


class EndOfStream(HeedError):
    """The source has no more to give."""


class Rejected(HeedError):
    """The far end, or a full store, will never take this record."""


class PluginError(HeedError):
    """A part broke its contract: raised, hung, exited or returned what it must not."""


class ModelError(HeedError):
    """A model file cannot be loaded, verified or run."""


class UpdateError(HeedError):
    """An update was refused."""
