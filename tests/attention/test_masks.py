"""Masked sums: right whoever drops out, unreadable on the way, and closed to a hub that cheats."""

import json
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.attention.masks import fixed, floating, joined, opened, sealed, split
from gateway.attention.party import Party, unmasked
from gateway.attention.signer import Signer
from gateway.core.errors import Rejected

NAMES = ["g%d" % i for i in range(7)]
VECTORS = {name: np.random.default_rng(i).normal(0, .3, 50) for i, name in enumerate(NAMES)}


def played(sharing=NAMES, updating=NAMES, revealing=NAMES, identities=None):
    """(roster, masked, sum) of a round in which fewer and fewer take part."""
    parties = {name: Party(name, "r", identities and identities[name]) for name in NAMES}
    roster = json.loads(json.dumps({name: party.keys() for name, party in parties.items()}))
    boxes = {name: parties[name].shares(roster) for name in sharing}
    masked = {name: parties[name].update(VECTORS[name], {sender: sent[name] for sender, sent in boxes.items()}) for name in updating}
    reveals = {name: json.loads(json.dumps(parties[name].reveal(list(masked)))) for name in revealing}
    return roster, masked, floating(unmasked("r", roster, masked, reveals, list(boxes)))


@pytest.mark.parametrize("sharing, updating, revealing", [
    (NAMES, NAMES, NAMES), (NAMES[:6], NAMES[:6], NAMES[:5]), (NAMES, NAMES[1:], NAMES[2:]), (NAMES[:6], NAMES[:5], NAMES[:5])])
def test_the_sum_is_that_of_all_who_stayed(sharing, updating, revealing):
    _, _, total = played(sharing, updating, revealing)
    assert np.allclose(total, sum(VECTORS[name] for name in updating), atol=1e-3)


def test_too_few_reveals_give_nothing():
    with pytest.raises(Rejected):
        played(revealing=NAMES[:4])


def test_a_masked_vector_tells_nothing_by_itself():
    _, masked, _ = played()
    for name in NAMES:
        values = np.array(masked[name], np.uint64)
        assert abs(np.corrcoef(values, fixed(VECTORS[name]))[0, 1]) < .5 and values.std() > 2 ** 32 / 5


def test_a_party_reveals_once():
    parties = {name: Party(name, "r") for name in NAMES}
    roster = {name: party.keys() for name, party in parties.items()}
    boxes = {name: parties[name].shares(roster) for name in NAMES}
    for name in NAMES:
        parties[name].update(VECTORS[name], {sender: sent[name] for sender, sent in boxes.items()})
    parties["g0"].reveal(NAMES)
    with pytest.raises(Rejected):
        parties["g0"].reveal(NAMES[:6])


def test_shares_any_enough_of_them_and_no_fewer():
    secret = bytes(range(32))
    shares = split(secret, 9, 5)
    assert joined(shares[2:7]) == joined(shares[4:]) == secret
    try:
        assert joined(shares[:4]) != secret
    except Rejected:
        pass


def test_a_sealed_share_that_was_changed_is_refused():
    box = sealed(bytes(32), b"share")
    assert opened(bytes(32), box) == b"share"
    with pytest.raises(Rejected):
        opened(bytes(32), box[:-1] + bytes([box[-1] ^ 1]))


def certificate(name, key, issuer, issuer_key):
    now = datetime.now(timezone.utc)
    return x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])).issuer_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])).public_key(key.public_key()).serial_number(x509.random_serial_number()
        ).not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1)).sign(issuer_key, None)


@pytest.fixture(scope="module")
def identities():
    authority = Ed25519PrivateKey.generate()
    ca = certificate("ca", authority, "ca", authority).public_bytes(Encoding.PEM)
    found = {}
    for name in [*NAMES, "stranger"]:
        key = Ed25519PrivateKey.generate()
        signer = authority if name != "stranger" else Ed25519PrivateKey.generate()
        found[name] = Signer(certificate(name, key, "ca", signer).public_bytes(Encoding.PEM),
                               key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), ca)
    return found


def test_signed_keys(identities):
    _, _, total = played(identities=identities)
    assert np.allclose(total, sum(VECTORS.values()), atol=1e-3)


@pytest.mark.parametrize("cheat", [
    lambda keys, own: keys["g1"].update(mask=own["mask"]),  # a hub's own key in place of a gateway's
    lambda keys, own: keys["g1"].update(own),  # signed by somebody else of ours
    lambda keys, own: keys["g1"].pop("signature"), lambda keys, own: keys["g1"].update(certificate="x")])
def test_a_hub_that_puts_in_keys_of_its_own_is_found_out(identities, cheat):
    parties = {name: Party(name, "r", identities[name]) for name in NAMES}
    keys = {name: party.keys() for name, party in parties.items()}
    cheat(keys, dict(Party("g2", "r", identities["g2"]).keys()))
    with pytest.raises(Rejected):
        parties["g0"].shares(keys)


def test_a_stranger_is_not_of_the_cohort(identities):
    parties = {name: Party(name, "r", identities[name]) for name in ["g0", "g1", "stranger"]}
    with pytest.raises(Rejected):
        parties["g0"].shares({name: party.keys() for name, party in parties.items()})
