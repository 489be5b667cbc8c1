"""Drives thingsboard-gateway 3.8.5 as a peer: run by the peer's own environment, of which this imports nothing else.

    python peer_thingsboard.py FOLDER PORT FIRST LAST RATE

Prints "ready", waits for a line; then hands events FIRST to LAST to its storage (sqlite), at RATE a second (0 = as fast as it
takes them), prints "taken N" for what it took, and on a second line prints the CPU seconds since the first event.
"""

import json
import resource
import sys
import threading
import time
from pathlib import Path

from thingsboard_gateway.gateway import tb_gateway_service
from thingsboard_gateway.gateway.entities.converted_data import ConvertedData
from thingsboard_gateway.gateway.entities.telemetry_entry import TelemetryEntry
from thingsboard_gateway.gateway.entities.datapoint_key import DatapointKey

DEVICE = "bed"
UNLIMITED = "0:0,"


class Connector:
    """What the service asks of whoever gives it data."""

    def get_name(self):
        return "bench"

    get_id = get_type = get_name

    def __getattr__(self, name):
        return lambda *values, **named: None


class Service(tb_gateway_service.TBGatewayService):
    """Its constructor runs until the end: it is reached from the first thing that it asks for."""

    made = []

    def init_grpc_service(self, config):
        """Called once the storage and the line are there."""
        self.made.append(self)


def settings(folder, port):
    """Its own settings file: sqlite storage, no rate limits, no remote configuration, nothing that is not telemetry."""
    chosen = json.loads((Path(tb_gateway_service.__file__).parent.parent / "config" / "tb_gateway.json").read_text())
    limits = {name: UNLIMITED for name in chosen["thingsboard"] if "ateLimits" in name}
    chosen["thingsboard"].update(limits, host="127.0.0.1", port=port, remoteConfiguration=False, statistics={"enable": False},
                                 reportStrategy={"type": "DISABLED"})
    chosen["storage"].update(type="sqlite", data_file_path=str(folder / "data") + "/", max_read_records_count=100)
    (folder / "data").mkdir(exist_ok=True)
    path = folder / "tb_gateway.json"
    path.write_text(json.dumps(chosen))
    return str(path)


def event(i):
    """One record with the same values as ours."""
    data = ConvertedData(DEVICE)
    values = {"i": i, "beats": 60 + i % 7, "reason": "72/min, 72 beats, all normal; signal good"}
    data.add_to_telemetry(TelemetryEntry({DatapointKey(name): value for name, value in values.items()}, ts=1700000000000 + i))
    return data


def cpu():
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(folder, port, first, last, rate):
    """Start the service, hand the events in, wait for a line."""
    path = settings(Path(folder), int(port))
    threading.Thread(target=Service, args=(path,), daemon=True).start()
    while not Service.made or not Service.made[0].tb_client.is_connected():
        time.sleep(0.05)
    service = Service.made[0]
    service.available_connectors_by_id["bench"] = Connector()
    time.sleep(1)
    print("ready", flush=True)
    sys.stdin.readline()
    before, began = cpu(), time.monotonic()
    for i in range(int(first), int(last) + 1):
        service.send_to_storage("bench", "bench", event(i))
        if float(rate):
            print("taken", i, flush=True)
            time.sleep(max(0, began + (i - int(first)) / float(rate) - time.monotonic()))
    print("taken", last, flush=True)
    sys.stdin.readline()
    print("cpu", cpu() - before, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
