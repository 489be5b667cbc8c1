"""Who a gateway is to the others: its device certificate signs the keys of a round, so that a hub cannot put in its own."""

from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from gateway.core.errors import ConfigError, Rejected


class Signer:
    """certificate, key, authority: PEM bytes. The common name of a certificate is the gateway's name."""

    def __init__(self, certificate, key, authority):
        try:
            self.certificate = certificate.decode()
            self.key = load_pem_private_key(key, None)
            self.authority = x509.load_pem_x509_certificate(authority)
            x509.load_pem_x509_certificate(certificate)
        except ValueError as error:
            raise ConfigError("the device certificate cannot be read: %s" % error, "enrol again")

    @classmethod
    def of(cls, identity):
        """The Signer of a gateway.identity.Identity that has enrolled."""
        whole = identity.file.read_bytes()
        return cls(whole[whole.index(b"-----BEGIN CERTIFICATE"):], whole, identity.ca_file.read_bytes())

    def sign(self, data):
        """{"certificate", "signature"} over bytes."""
        signature = self.key.sign(data) if isinstance(self.key, ed25519.Ed25519PrivateKey) else self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return {"certificate": self.certificate, "signature": signature.hex()}

    def verify(self, name, data, proof):
        """Raise Rejected unless `proof` is a signature over `data` by the device `name`, certified by our authority."""
        try:
            certificate = x509.load_pem_x509_certificate(proof["certificate"].encode())
            certificate.verify_directly_issued_by(self.authority)
            signature, public = bytes.fromhex(proof["signature"]), certificate.public_key()
            if isinstance(public, ed25519.Ed25519PublicKey):
                public.verify(signature, data)
            else:
                public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except (KeyError, ValueError, TypeError, AttributeError, InvalidSignature) as error:
            raise Rejected("the keys of %s are not signed by it: %s" % (name, error or type(error).__name__), "is the hub what it says it is?")
        names = [attribute.value for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if names != [name] or not certificate.not_valid_before_utc <= datetime.now(timezone.utc) <= certificate.not_valid_after_utc:
            raise Rejected("the certificate of %s is of %s, or out of date" % (name, names), "is the hub what it says it is?")
