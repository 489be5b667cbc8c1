"""Brokers and databases of this machine, started for a test or a demo: unprivileged, on a free port of the loopback, in a
folder of their own, and stopped again."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from gateway.core.errors import HeedError

PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
PACKAGES = {"mosquitto": "mosquitto", "nats-server": "nats-server", "initdb": "postgresql"}
START_S = 20


def free_port():
    """A port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def program(name):
    """Path of a program. Raises HeedError that names the Debian package."""
    folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*folders, PLACES]))
    if not found:
        package = PACKAGES.get(name, name)
        raise HeedError("%s is not installed" % package, "apt-get install %s" % package)
    return found


def unprivileged():
    """Keywords for subprocess that drop root's rights; none where there are none to drop."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": ()} if os.geteuid() == 0 else {}


class Service:
    """A program that listens on `port`. Use it in `with`; kill() is SIGKILL, start() brings it back."""

    scheme = ""
    ending = signal.SIGTERM

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="heed-"))
        self.port = free_port()
        self.process = None

    def command(self):
        """The command line; writes the settings it needs."""
        raise NotImplementedError

    def own(self):
        """Give the folder to whom the program runs as."""
        if unprivileged():
            for path in [self.folder, *self.folder.rglob("*")]:
                shutil.chown(path, "nobody", "nogroup")

    def start(self):
        """Start, and wait until it listens. Raises HeedError with what it said."""
        command = self.command()
        self.own()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **unprivileged())
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise HeedError("%s does not start" % command[0], (self.folder / "log").read_text(errors="replace")[-500:])

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ask it to end, then wait."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.ending)
            self.process.wait(30)

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        """Address for a client."""
        return "%s://127.0.0.1:%d" % (self.scheme, self.port)


class Mosquitto(Service):
    """lines: further settings, for example for TLS."""

    scheme = "mqtt"

    def __init__(self, lines=()):
        super().__init__()
        self.lines = lines

    def command(self):
        """Its settings are written to its folder."""
        settings = ["listener %d 127.0.0.1" % self.port, "allow_anonymous true", "persistence false",
                    "max_inflight_messages 200", "max_queued_messages 5000", *self.lines]
        (self.folder / "mosquitto.conf").write_text("\n".join(settings) + "\n")
        return [program("mosquitto"), "-c", str(self.folder / "mosquitto.conf")]


class Nats(Service):
    """NATS server with MQTT: a second broker, which speaks 3.1.1 only."""

    scheme = "mqtt"

    def command(self):
        """Its settings are written to its folder; MQTT needs a name and JetStream."""
        (self.folder / "nats.conf").write_text("server_name: heed\nlisten: 127.0.0.1:%d\njetstream { store_dir: %s }\n"
                                               "mqtt { listen: 127.0.0.1:%d }\n" % (free_port(), self.folder / "js", self.port))
        return [program("nats-server"), "-c", str(self.folder / "nats.conf")]


class Postgres(Service):
    """A database cluster of its own; durable as in production."""

    scheme = "postgresql"
    ending = signal.SIGINT  # SIGTERM would wait for its clients

    def command(self):
        """The cluster is made with the first start."""
        self.own()
        data = self.folder / "data"
        if not data.exists():
            subprocess.run([program("initdb"), "-D", str(data), "-U", "heed", "-A", "trust", "-E", "UTF8", "--no-instructions"], check=True,
                           cwd=self.folder, stdout=subprocess.DEVNULL, **unprivileged())
        return [program("postgres"), "-D", str(data), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]

    @property
    def url(self):
        """Address for a client."""
        return "postgresql://heed@127.0.0.1:%d/postgres" % self.port
