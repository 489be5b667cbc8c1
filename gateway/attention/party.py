"""One gateway's part in a masked round: keys, shares, the masked update, and what others need when somebody drops out.

The hub sees: public keys, sealed shares, masked vectors, and of each gateway either the share of its mask's seed (it
stayed) or that of its key (it went), never both: a party answers one reveal only, and checks that.
"""

import json
import secrets

import numpy as np

from gateway.attention.masks import Pair, fixed, joined, opened, pairwise, sealed, split, stream
from gateway.core.errors import Rejected

LEAST = 3  # parties: a sum of two tells each of them the other's


def needed(count):
    """Shares that give a secret back: more than two thirds, so that no two reveals can be answered behind one another's back."""
    return count * 2 // 3 + 1


def info(round_id, purpose):
    """What a key is derived for."""
    return ("heed %s %s" % (round_id, purpose)).encode()


class Party:
    """me: name; round_id: of the hub; signer: see gateway.attention.signer, or None where the hub is trusted with the keys."""

    def __init__(self, me, round_id, signer=None):
        self.me, self.round_id, self.signer = me, round_id, signer
        self.mask, self.seal = Pair(), Pair()
        self.seed = secrets.token_bytes(32)
        self.roster, self.held, self.revealed = {}, {}, False

    def keys(self):
        """Step 1: public keys, signed by the device certificate."""
        keys = {"mask": self.mask.public.hex(), "seal": self.seal.public.hex()}
        return dict(keys, **(self.signer.sign(signed(self.round_id, self.me, keys)) if self.signer else {}))

    def shares(self, roster):
        """Step 2: {peer: sealed shares} of my key and seed. roster: {name: keys} of all in the group, me among them.

        Raises Rejected for a group that is too small, lacks me, or holds a key that its device did not sign."""
        if len(roster) < LEAST or roster.get(self.me, {}).get("mask") != self.mask.public.hex():
            raise Rejected("a group of %d, or without me" % len(roster), "wait for the next round")
        for name, keys in roster.items():
            if self.signer:
                self.signer.verify(name, signed(self.round_id, name, keys), keys)
        self.roster = {name: {use: bytes.fromhex(keys[use]) for use in ("mask", "seal")} for name, keys in roster.items()}
        parts = list(zip(sorted(roster), split(self.mask.private, len(roster), needed(len(roster))), split(self.seed, len(roster), needed(len(roster)))))
        return {name: sealed(self._line(name), json.dumps([key, seed]).encode()).hex() for name, key, seed in parts}

    def _line(self, peer):
        """The key between two parties, the same at both ends."""
        return self.seal.agreed(self.roster[peer]["seal"], info(self.round_id, "seal " + " ".join(sorted((self.me, peer)))))

    def update(self, vector, boxes):
        """Step 3: the masked vector. boxes: {sender: sealed shares for me} of all that take part further, me among them."""
        if len(boxes) < needed(len(self.roster)) or self.me not in boxes:
            raise Rejected("only %d of %d sent shares" % (len(boxes), len(self.roster)), "wait for the next round")
        self.held = {name: json.loads(opened(self._line(name), bytes.fromhex(box))) for name, box in boxes.items() if name in self.roster}
        peers = {name: self.roster[name]["mask"] for name in self.held if name != self.me}
        total = fixed(vector) + stream(self.seed, len(vector)) + pairwise(self.mask, self.me, peers, info(self.round_id, "mask"), len(vector))
        return total.astype(np.uint32).tolist()

    def reveal(self, stayed):
        """Step 4: {name: share}: of the seed of each that stayed, of the key of each that went. Once."""
        stayed = set(stayed) & set(self.held)
        if self.revealed or len(stayed) < max(LEAST, needed(len(self.roster))) or self.me not in stayed:
            raise Rejected("asked a second time, or too few stayed", "the round is dropped")
        self.revealed = True
        return {name: shares[1 if name in stayed else 0] for name, shares in self.held.items()}


def signed(round_id, name, keys):
    """The bytes that a device signs."""
    return json.dumps(["heed keys 1", round_id, name, keys["mask"], keys["seal"]]).encode()


def unmasked(round_id, roster, masked, reveals, sharing):
    """Sum (uint32) of the vectors of all that stayed. masked: {name: vector} of them; reveals: {name: {about: share}};
    sharing: names whose masks are in. Raises Rejected where too few shares came."""
    least, length = needed(len(roster)), len(next(iter(masked.values())))
    total = np.zeros(length, np.uint32)
    for vector in masked.values():
        total = total + np.array(vector, np.uint32)
    for name in sharing:
        shares = [tuple(told[name]) for told in reveals.values() if name in told][:least]
        if len(shares) < least:
            raise Rejected("%d of %d shares of %s" % (len(shares), least, name), "the round is dropped")
        secret = joined(shares)
        if name in masked:
            total = total - stream(secret, length)
        else:
            peers = {peer: bytes.fromhex(roster[peer]["mask"]) for peer in masked}
            total = total + pairwise(Pair(secret), name, peers, info(round_id, "mask"), length)
    return total.astype(np.uint32)
