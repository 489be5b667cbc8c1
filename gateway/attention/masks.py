"""Sums that nobody can take apart: pairwise masks, and shares that recover them when gateways drop out.

Bonawitz and others: Practical secure aggregation for privacy-preserving machine learning (2017). Masks are ChaCha20 streams
under keys that X25519 and HKDF make of each pair; secrets are shared by Shamir over a prime field. The arithmetic of the sum
is modulo 2 ** 32. The only file of attention that imports cryptography.
"""

import secrets

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.core.errors import Rejected

PRIME = (1 << 521) - 1  # of Mersenne: larger than any secret of 32 bytes
SCALE = 1 << 16  # fixed point: a sum of 1,000 clipped updates stays far below 2 ** 31


def fixed(vector):
    """A float vector as uint32 in fixed point, two's complement."""
    return np.round(np.asarray(vector, float) * SCALE).astype(np.int64).astype(np.uint32)


def floating(total):
    """The float vector of a uint32 sum."""
    return total.astype(np.uint32).astype(np.int32).astype(float) / SCALE


def derived(secret, info):
    """32 bytes of a secret for one purpose."""
    return HKDF(hashes.SHA256(), 32, None, info).derive(secret)


def stream(seed, length):
    """`length` uint32 that a seed of 32 bytes stands for."""
    encryptor = Cipher(algorithms.ChaCha20(seed, bytes(16)), None).encryptor()
    return np.frombuffer(encryptor.update(bytes(4 * length)), "<u4")


class Pair:
    """A key pair for agreements with others."""

    def __init__(self, private=None):
        self.key = X25519PrivateKey.from_private_bytes(private) if private else X25519PrivateKey.generate()
        self.private = self.key.private_bytes_raw()
        self.public = self.key.public_key().public_bytes_raw()

    def agreed(self, public, info):
        """32 bytes that both ends of a pair know, and nobody else. Raises Rejected for a key that is none."""
        try:
            return derived(self.key.exchange(X25519PublicKey.from_public_bytes(public)), info)
        except ValueError:
            raise Rejected("a peer's key is no X25519 key", "the round goes on without it")


def pairwise(pair, me, peers, info, length):
    """Sum of the masks of a gateway with all its peers: they cancel in the sum of all. peers: {name: public key}."""
    total = np.zeros(length, np.uint32)
    for name, public in sorted(peers.items()):
        mask = stream(pair.agreed(public, info), length)
        total = total + mask if me < name else total - mask
    return total


def split(secret, count, threshold):
    """`count` shares of a secret of bytes, any `threshold` of which give it back: [(x, y)], Shamir 1979."""
    factors = [int.from_bytes(secret, "big"), *[secrets.randbelow(PRIME) for _ in range(threshold - 1)]]
    return [(x, sum(f * pow(x, i, PRIME) for i, f in enumerate(factors)) % PRIME) for x in range(1, count + 1)]


def joined(shares, size=32):
    """The secret of enough shares. Raises Rejected where they are not of one secret."""
    total = 0
    for x, y in shares:
        top = bottom = 1
        for other, _ in shares:
            if other != x:
                top, bottom = top * -other % PRIME, bottom * (x - other) % PRIME
        total += y * top * pow(bottom, -1, PRIME)
    try:
        return (total % PRIME).to_bytes(size, "big")
    except OverflowError:
        raise Rejected("the shares of a secret do not fit together", "the round is dropped")


def sealed(key, text):
    """Bytes that only a holder of the key can read, and nobody can change."""
    nonce = secrets.token_bytes(12)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, text, None)


def opened(key, data):
    """What was sealed. Raises Rejected."""
    try:
        return ChaCha20Poly1305(key).decrypt(data[:12], data[12:], None)
    except (InvalidTag, ValueError):
        raise Rejected("a sealed share was changed on its way", "the round goes on without it")
