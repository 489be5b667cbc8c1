"""The CloudEvents SDK: run by an environment of its own (`make test-consumers`). The SDK has no MQTT binding; its HTTP binding takes
the same attributes with the prefix ce-, and its event class validates them.

    python cloudevents.py < messages

Each line of the standard input is {"user": [[name, value]], "content_type": text, "data": text}; prints the attributes as the SDK has them.
"""

import json
import sys

sys.path.pop(0)  # this file's folder would hide the SDK

from cloudevents.core.bindings.http import HTTPMessage, from_binary  # noqa: E402
from cloudevents.core.formats.json import JSONFormat  # noqa: E402

for line in sys.stdin:
    given = json.loads(line)
    headers = dict({"ce-" + name: value for name, value in given["user"]}, **{"content-type": given["content_type"]})
    event = from_binary(HTTPMessage(headers=headers, body=given["data"].encode()), JSONFormat())
    told = {name: str(value) for name, value in event.get_attributes().items()}
    print(json.dumps({"attributes": told, "data": event.get_data(), "t_ms": round(event.get_time().timestamp() * 1000)}))
