"""This gateway among others: asks its hub for rounds, answers through the outbox, and hands what was learnt together to its guard."""

from gateway.attention.federate import Collaborator
from gateway.core.compat import ticks_diff, ticks_ms
from gateway.core.errors import NotConnected


def files_of(folder):
    """(TLS files of an enrolled gateway, its Signer), or empty ones and None."""
    if not (folder / "identity" / "hub.json").exists():
        return {"ca_file": "", "cert_file": "", "key_file": ""}, None
    from gateway.attention.signer import Signer  # cryptography takes its time, and only who has enrolled needs it
    from gateway.identity import Identity
    identity = Identity(folder)
    return {"ca_file": str(identity.ca_file), "cert_file": str(identity.file), "key_file": ""}, Signer.of(identity)


def downlink_of(options, files, name):
    """The way down that [attention] names; each has its own library. options["line"]: those of an MQTT uplink, for hub = "mqtt"."""
    if not options["hub"].startswith("mqtt"):
        from gateway.attention.downlink import Downlink
        return Downlink(options["hub"], files)
    from gateway.attention.subscription import Subscription
    plain = {"url": options["hub"], "user": "", "password_env": "HEED_MQTT_PASSWORD", "timeout_s": 10}
    return Subscription(options.get("line") or dict(plain, **files), name)


class Membership:
    """folder: data folder; options: [attention]; name: of this gateway."""

    def __init__(self, folder, options, name):
        files, self.signer = files_of(folder)
        self.downlink = downlink_of(options, files, name)
        self.name, self.every_ms = name, 1000 * options["hub_poll_s"]
        self.members, self.next = [], ticks_ms()
        self.counters = {"hub_unreachable": 0}

    def join(self, learner):
        """Let what a learner learns take part."""
        self.members.append(Collaborator(learner, self.name, self.signer))

    def counts(self):
        """Counters for the status."""
        total = dict(self.counters, **self.downlink.counters)
        for member in self.members:
            for name, n in member.counters.items():
                total["round_" + name] = total.get("round_" + name, 0) + n
        return total

    async def turn(self, outbox, apart):
        """Ask the hub, where it is time; apart(function, ...) runs a function in the learning thread."""
        if ticks_diff(ticks_ms(), self.next) < 0 and not self.downlink.news:
            return
        self.next = ticks_ms() + self.every_ms
        try:
            for member in self.members:
                outbox.offer(await apart(member.turn, await self.downlink.round(self.name)))
                await apart(member.receive, await self.downlink.learnt(member.version))
        except (NotConnected, KeyError, TypeError):  # away, or no hub that runs rounds
            self.counters["hub_unreachable"] += 1

    async def close(self):
        """Close the line."""
        await self.downlink.close()
