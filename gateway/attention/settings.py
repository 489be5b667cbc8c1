"""The [attention] table of the settings."""

ATTENTION = {"options": {
    "learn": {"default": "head", "type": "str", "choices": ("off", "head", "controls", "all"),
              "help": "what labels may move: the head, the attention controls, or both in turn"},
    "asks_per_day": {"default": 20, "type": "int", "min": 0, "max": 1000, "help": "labels asked for, of each stream and day"},
    "asks_open": {"default": 1, "type": "int", "min": 1, "max": 64, "help": "questions of a stream that may wait for an answer at a time"},
    "slack_permille": {"default": 5, "type": "int", "min": 1, "max": 1000, "help": "most time that learning may take, in thousandths"},
    "hub": {"default": "", "type": "str", "help": "hub to learn together with, for example https://hub.example:8443; empty: learn alone"},
    "hub_poll_s": {"default": 30, "type": "int", "min": 1, "max": 86400, "help": "how often it is asked for rounds"},
}}
