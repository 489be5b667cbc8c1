"""Who this gateway is on a line with TLS. The key is made here and never leaves.

DATA/identity/gateway.pem holds key and certificate in one file, so that a renewal replaces both in one step;
hub-ca.pem is the authority to trust, hub.json says where to renew.
"""

import json
from datetime import UTC
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway import secret
from gateway.core.errors import HeedError

BACKDATED_MS = 86400000  # a hub's certificates begin a day before they are made: gateways without a clock of their own start late


def pem_of_key(key):
    """A private key as PEM, not encrypted: a gateway starts with nobody there to type a password."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def make_key():
    """A fresh P-256 key as PEM: what every broker takes."""
    return pem_of_key(ec.generate_private_key(ec.SECP256R1()))


def facts_of(path):
    """{"gateway", "serial", "from_ms", "to_ms"} of the first certificate of a PEM file. Raises OSError or ValueError."""
    certificate = x509.load_pem_x509_certificates(Path(path).read_bytes())[0]
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return {"gateway": names[0].value if names else "", "serial": "%x" % certificate.serial_number,
            "from_ms": ms_of(certificate.not_valid_before_utc), "to_ms": ms_of(certificate.not_valid_after_utc)}


def ms_of(moment):
    """Milliseconds since 1970 of a datetime in UTC."""
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def due_ms(facts):
    """When two thirds of a certificate's life are over, counted from when the hub made it."""
    return facts["to_ms"] - (facts["to_ms"] - facts["from_ms"] - BACKDATED_MS) // 3


class Identity:
    """data: the gateway's data folder."""

    def __init__(self, data):
        self.folder = Path(data).absolute() / "identity"
        self.file = self.folder / "gateway.pem"
        self.ca_file = self.folder / "hub-ca.pem"
        self.pending = self.folder / "pending.pem"

    @property
    def enrolled(self):
        """Whether a hub has signed for this gateway."""
        return (self.folder / "hub.json").exists()

    def hub(self):
        """Address of the hub that signed."""
        return json.loads((self.folder / "hub.json").read_text())["url"]

    def request(self):
        """Certificate request (PEM) for a fresh key. A request whose answer was lost is made again with the same key."""
        key = serialization.load_pem_private_key(secret.kept(self.pending, make_key), None)
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def install(self, certificate, ca, url):
        """Take the certificate (PEM) that answers request() into use. Raises HeedError when it is for another key."""
        key = self.pending.read_bytes()
        try:
            signed = x509.load_pem_x509_certificate(certificate.encode()).public_key()
        except ValueError as error:
            raise HeedError("the hub's answer holds no certificate: %s" % error, "is that address a Heed hub?")
        if signed != serialization.load_pem_private_key(key, None).public_key():
            raise HeedError("the hub signed another key than that of this gateway", "ask for a new token: `heed hub token` on the hub")
        secret.write(self.ca_file, ca.encode(), 0o644)
        secret.write(self.file, key + certificate.encode())
        secret.write(self.folder / "hub.json", json.dumps({"url": url}).encode(), 0o644)
        self.pending.unlink()
