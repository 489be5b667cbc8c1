"""Hub and gateway in processes of their own, to be killed by the sync benchmark."""

import os
import subprocess
import sys
from pathlib import Path

from firmware_tools.services import free_port
from gateway.core.errors import HeedError


def used(pid):
    """CPU seconds of a process so far."""
    fields = Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Hub:
    """A hub in a process of its own; kill() and start() as often as one likes."""

    def __init__(self, folder, broker="", database="", options=()):
        self.database = database or str(Path(folder) / "hub.db")
        self.port = free_port()
        self.command = [sys.executable, "-m", "firmware_tools", "hub", "run", "--database", self.database, "--listen",
                        "127.0.0.1:%d" % self.port] + (["--mqtt", broker] if broker else []) + list(options)

    def start(self):
        """Start, and wait until it listens."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self.process.stdout.readline():
            raise HeedError("the hub does not start", " ".join(self.command))
        return self

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(30)

    def cpu(self):
        """CPU seconds so far."""
        return used(self.process.pid)


class Gateway:
    """firmware_tools.bench.sync_gateway in a process of its own."""

    def __init__(self, folder, broker):
        self.arguments = [str(folder), broker]
        self.accepted = 0

    def start(self, records, rate):
        """Start it, and let it begin."""
        self.process = subprocess.Popen([sys.executable, "-m", "firmware_tools.bench.sync_gateway", *self.arguments, str(records), str(rate)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self):
        """SIGKILL; keep the last number that it called accepted."""
        self.process.kill()
        lines = [line for line in self.process.stdout.read().splitlines(keepends=True) if line.startswith("accepted") and line.endswith("\n")]
        self.accepted = max([self.accepted, *[int(line.split()[1]) for line in lines[-1:]]])
        self.process.wait()

    def finish(self):
        """(seconds, CPU seconds) until the hub has all."""
        last = self.process.stdout.read().strip().split("\n")[-1].split()
        self.process.wait()
        if last[0] != "delivered":
            raise HeedError("the gateway of the benchmark ended early", " ".join(last))
        return float(last[1]), float(last[2])
