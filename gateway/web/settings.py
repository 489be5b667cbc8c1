"""The [web] table of the settings: where the local door listens, and who may come in."""

from pathlib import Path

from gateway.core.errors import ConfigError
from gateway.core.options import check_options

WEB = {"options": {
    "listen": {"default": "127.0.0.1:8437", "type": "str", "help": "address and port; off the loopback only with TLS, and a token or client_ca_file"},
    "names": {"default": [], "type": "list", "help": 'names by which browsers ask for it beside the address, for example ["ward-3.local"]'},
    "cert_file": {"default": "", "type": "path", "help": "certificate chain (PEM) of this page"},
    "key_file": {"default": "", "type": "path", "help": "its key (PEM)"},
    "client_ca_file": {"default": "", "type": "path", "help": "authority (PEM) of the certificates that let a person in"},
    "token_file": {"default": "", "type": "path", "help": "file with the token that lets a person in"},
    "requests_per_s": {"default": 20, "type": "int", "min": 1, "max": 10000, "help": "most requests a second, of all who ask"}}}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")
TOKEN = 16  # shortest token, in characters


class WebConfig:
    """host, port; names: hosts that it answers to; token: bytes or b""; tls: an SSLContext or None; certified: whether it asks for
    a certificate; rate: requests a second. Raises ConfigError, also for a door that is open to others than those on this machine."""

    def __init__(self, values):
        self.host, self.port = host_port(values["listen"])
        self.names = names_of(values["names"], self.host)
        self.token = token_of(values["token_file"])
        self.certified = bool(values["client_ca_file"])
        self.tls = tls_of(values)
        self.rate = values["requests_per_s"]
        if self.host not in LOOPBACK and not self.tls:
            raise ConfigError("listens at %s without TLS" % self.host, "give cert_file and key_file, or listen at 127.0.0.1")
        if self.host not in LOOPBACK and not self.token and not self.certified:
            raise ConfigError("listens at %s for everybody" % self.host, "give token_file or client_ca_file, or listen at 127.0.0.1")


def host_port(text):
    """(host, port) of "127.0.0.1:8437" or "[::1]:8437". Raises ConfigError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError("listen is %r" % text, "write address:port, for example 127.0.0.1:8437")
    return host.strip("[]").lower(), int(port)


def names_of(given, host):
    """Hosts that a request may be addressed to. Raises ConfigError."""
    if not all(isinstance(name, str) and name for name in given):
        raise ConfigError("names is %r" % given, 'write names of hosts, for example ["ward-3.local"]')
    if host in EVERYWHERE and not given:
        raise ConfigError("listens at every address, and names is empty", "say in names how browsers ask for it: host names or addresses")
    return {name.lower() for name in given} | {*LOOPBACK, host}


def token_of(path):
    """The token in a file, b"" where none is named. Raises ConfigError."""
    if not path:
        return b""
    try:
        token = Path(path).read_bytes().strip()
    except OSError as error:
        raise ConfigError("token_file %s: %s" % (path, error.strerror), "`openssl rand -hex 16 > FILE`, readable for the gateway alone")
    if len(token) < TOKEN:
        raise ConfigError("token_file %s holds %d characters" % (path, len(token)), "%d at least: `openssl rand -hex 16 > FILE`" % TOKEN)
    return token


def tls_of(values):
    """SSL context of the door, or None. Raises ConfigError."""
    if not values["cert_file"]:
        if values["key_file"] or values["client_ca_file"]:
            raise ConfigError("key_file and client_ca_file are for TLS", "give cert_file as well")
        return None
    from gateway import tls  # not needed for a door on the loopback
    try:
        return tls.served(values["cert_file"], values["key_file"], values["client_ca_file"])
    except OSError as error:
        raise ConfigError("TLS files: %s" % error, "give PEM files in cert_file, key_file and client_ca_file")


def check(given, fault):
    """WebConfig of a [web] table, or None where something is wrong. fault(where, problem, remedy) notes it."""
    values, faults = check_options(WEB, given)
    for name, problem, remedy in faults:
        fault("[web]", '"%s" %s' % (name, problem), remedy)
    try:
        return None if faults else WebConfig(values)
    except ConfigError as error:
        return fault("[web]", error.message, error.hint)
