"""The [attention] table of the settings."""

WAYS = ("https://", "http://", "mqtts://", "mqtt://")
ATTENTION = {"options": {
    "learn": {"default": "head", "type": "str", "choices": ("off", "head", "controls", "all"),
              "help": "what labels may move: the head, the attention controls, or both in turn"},
    "asks_per_day": {"default": 20, "type": "int", "min": 0, "max": 1000, "help": "labels asked for, of each stream and day"},
    "asks_open": {"default": 1, "type": "int", "min": 1, "max": 64, "help": "questions of a stream that may wait for an answer at a time"},
    "slack_permille": {"default": 5, "type": "int", "min": 1, "max": 1000, "help": "most time that learning may take, in thousandths"},
    "hub": {"default": "", "type": "str", "help": 'hub to learn together with: https://hub.example:8443, mqtts://broker.example:8883, or "mqtt" '
                                                  "for the broker of the MQTT uplink; empty: learn alone"},
    "hub_poll_s": {"default": 30, "type": "int", "min": 1, "max": 86400, "help": "how often it is asked for rounds; a broker tells by itself"},
}}


def way_down(values, uplinks, fault):
    """Put the options of the line under "line" where the hub is reached by the broker of an uplink. uplinks: PartConfigs; fault(where,
    problem, remedy) notes what cannot be."""
    lines = [uplink.options for uplink in uplinks if uplink.found.name == "mqtt"]
    if values["hub"] == "mqtt" and lines:
        values["line"] = lines[0]
    elif values["hub"] == "mqtt":
        fault("[attention]", 'hub is "mqtt", and there is no [[uplink]] of kind "mqtt"', "add one, or name the broker: mqtts://broker.example:8883")
    elif values["hub"] and not str(values["hub"]).startswith(WAYS):
        fault("[attention]", "hub is %r" % values["hub"], 'write https://host:port, mqtts://host:port, or "mqtt"')
