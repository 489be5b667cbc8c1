"""What the outbox may hold and what an uplink may carry: settings, and the numbers that they mean."""

import re

from gateway.core.errors import ConfigError
from gateway.core.pace import span

POLICIES = ("reject", "drop_oldest")
SIZES = {"kB": 1000, "MB": 1000000, "GB": 1000000000}
HOUR_MS = 3600000
CLASSES = {"alarm": {"max_bytes": "4MB", "policy": "reject"}, "event": {"max_bytes": "16MB"}, "digest": {"max_bytes": "64MB"}}
OUTBOX = {"options": {
    "commit_ms": {"default": 20, "type": "int", "min": 0, "max": 10000, "help": "how long a commit waits for company"},
    "commit_records": {"default": 500, "type": "int", "min": 1, "max": 10000, "help": "records that are company enough"}}}
CLASS = {"options": {
    "max_bytes": {"default": "16MB", "type": "str", "help": "limit on disk, for example 64MB; `heed status` shows how many hours that is"},
    "max_hours": {"default": 0, "type": "float", "min": 0, "max": 8760, "help": "older records are dropped, and told as a gap; 0 = any age"},
    "policy": {"default": "drop_oldest", "type": "str", "choices": POLICIES, "help": "what happens at the limit of bytes"}}}
UPLINK = {
    "records_per_s": {"default": 0, "type": "int", "min": 0, "max": 1000000, "help": "most records a second, 0 = any"},
    "bytes_per_day": {"default": "", "type": "str", "help": "most bytes a day (UTC), for example 5MB; alarms pass"},
    "quiet": {"default": "", "type": "str", "help": 'hours (UTC) in which only alarms pass, for example "22:00-06:00"'}}


def size(name, text):
    """Bytes of "64MB". Raises ConfigError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(kB|MB|GB)", str(text))
    if not found:
        raise ConfigError("%s is %r" % (name, text), "write a size such as 64MB")
    return int(float(found[1]) * SIZES[found[2]])


def of_class(values):
    """((bytes, policy), age in ms or 0) of an [outbox.CLASS] table. Raises ConfigError."""
    return (size("max_bytes", values["max_bytes"]), values["policy"]), int(values["max_hours"] * HOUR_MS)


def of_uplink(values):
    """(records a second, bytes a day, quiet hours) of an [[uplink]] table. Raises ConfigError."""
    span(values["quiet"])
    return values["records_per_s"], size("bytes_per_day", values["bytes_per_day"]) if values["bytes_per_day"] else 0, values["quiet"]
