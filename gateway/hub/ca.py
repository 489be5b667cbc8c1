"""A small certificate authority for those who have none: signs for gateways, for the hub and for its broker.

One folder; its sub-folder `broker` is for the broker's eyes too. P-256 throughout; profiles after RFC 5280.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway import secret
from gateway.core.errors import HeedError, Rejected
from gateway.identity import BACKDATED_MS, ms_of, pem_of_key

ROOT_DAYS = 3650
BACKDATED = timedelta(milliseconds=BACKDATED_MS)
MAX_REQUEST = 8192
PEM = serialization.Encoding.PEM
USAGE = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                       "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)


def name_of(text):
    """An X.509 name with nothing but a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """folder: where ca.key, ca.pem and broker/crl.pem lie; clock: gives the time as a datetime in UTC."""

    def __init__(self, folder, clock=lambda: datetime.now(UTC)):
        self.folder = Path(folder)
        self.clock = clock
        self.ca_file, self.crl_file = self.folder / "ca.pem", self.folder / "broker" / "crl.pem"
        try:
            self.key = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
            self.certificate = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        except (OSError, ValueError) as error:
            raise HeedError("no certificate authority in %s: %s" % (folder, error), "`heed hub init` makes one")

    @classmethod
    def make(cls, folder, clock=lambda: datetime.now(UTC)):
        """A new authority; one that is there already stays."""
        folder = Path(folder)
        if not (folder / "ca.pem").exists():
            (folder / "broker").mkdir(parents=True, exist_ok=True)
            key, now = ec.generate_private_key(ec.SECP256R1()), clock()
            name = name_of("Heed hub CA %x" % serial())
            usage = x509.KeyUsage(**dict(USAGE, key_cert_sign=True, crl_sign=True))
            made = builder(name, name, key.public_key(), now, ROOT_DAYS).add_extension(x509.BasicConstraints(True, 0), True)
            made = made.add_extension(usage, True).sign(key, hashes.SHA256())
            secret.write(folder / "ca.key", pem_of_key(key))
            secret.write(folder / "ca.pem", made.public_bytes(PEM), 0o644)
            cls(folder, clock).revoke([])
        return cls(folder, clock)

    def fingerprint(self):
        """SHA-256 of the authority's certificate, in hex: what a gateway is told to trust."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def _sign(self, name, public, days, usages, names=()):
        made = builder(self.certificate.subject, name_of(name), public, self.clock(), days)
        made = made.add_extension(x509.BasicConstraints(False, None), True)
        made = made.add_extension(x509.KeyUsage(**dict(USAGE, digital_signature=True)), True)
        made = made.add_extension(x509.ExtendedKeyUsage(usages), False)
        made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName([alternative(n) for n in names]), False)
        return made.sign(self.key, hashes.SHA256())

    def issue(self, request, gateway, days):
        """Certificate of a gateway for a request (PEM text). What the request says of a name is not asked. Raises Rejected."""
        try:
            if len(request) > MAX_REQUEST:
                raise ValueError("it is too long")
            asked = x509.load_pem_x509_csr(request.encode())
            if not asked.is_signature_valid:
                raise ValueError("its signature is wrong")
            if not isinstance(asked.public_key(), ec.EllipticCurvePublicKey) or asked.public_key().curve.name != "secp256r1":
                raise ValueError("its key is not on the curve P-256")
        except ValueError as error:
            raise Rejected("the certificate request is refused: %s" % error, "")
        return self._sign(gateway, asked.public_key(), days, [ExtendedKeyUsageOID.CLIENT_AUTH])

    def issue_server(self, path, name, hosts, days, mode=0o600):
        """Write key and certificate of a server, good as a client too, for host names and addresses, to one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(name, key.public_key(), days, [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], hosts)
        secret.write(path, pem_of_key(key) + made.public_bytes(PEM), mode)

    def revoke(self, revoked):
        """Write the list of what is revoked: [(serial as int, moment)]. It holds as long as the authority: brokers refuse
        everybody once a list is overdue, and this one changes only when somebody is revoked."""
        made = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        made = made.last_update(self.clock() - BACKDATED).next_update(self.certificate.not_valid_after_utc)
        for serial, moment in revoked:
            made = made.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment).build())
        secret.write(self.crl_file, made.sign(self.key, hashes.SHA256()).public_bytes(PEM), 0o644)


def builder(issuer, subject, public, now, days):
    """What all certificates have in common."""
    return (x509.CertificateBuilder().issuer_name(issuer).subject_name(subject).public_key(public)
            .serial_number(serial()).not_valid_before(now - BACKDATED).not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False))


def serial():
    """80 random bits: beyond guessing, and short enough for a person to copy."""
    return x509.random_serial_number() >> 80


def alternative(host):
    """A host name, or an address, as certificates hold them."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def described(certificate):
    """(PEM text, serial in hex, from_ms, to_ms) of a certificate."""
    return (certificate.public_bytes(PEM).decode(), "%x" % certificate.serial_number,
            ms_of(certificate.not_valid_before_utc), ms_of(certificate.not_valid_after_utc))


def key_of(request):
    """SHA-256 of the public key in a request (PEM text), in hex. Raises Rejected."""
    try:
        public = x509.load_pem_x509_csr(request.encode()).public_key()
    except ValueError as error:
        raise Rejected("the certificate request is refused: %s" % error, "")
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


class Revoked:
    """The serials of a revocation list, read again when its file changes. A list that cannot be read revokes all."""

    def __init__(self, path):
        self.path = Path(path)
        self.stamp, self.serials = None, None

    def __call__(self, serial):
        """Whether a serial (hex) is revoked."""
        try:
            stamp = self.path.stat().st_mtime_ns
            if stamp != self.stamp:
                crl = x509.load_pem_x509_crl(self.path.read_bytes())
                self.stamp, self.serials = stamp, {entry.serial_number for entry in crl}
        except (OSError, ValueError):
            return True
        return int(serial, 16) in self.serials
