"""TLS of the uplinks and of the hub's way to its broker, and what its failures mean in words that a person can act on."""

import errno
import ssl
import time
from datetime import UTC, datetime

from gateway.core.errors import ConfigError

CLOCK = "is this gateway's clock right? set it (`timedatectl`); the line is tried again"
ENROL = "make a token with `heed hub token` on the hub, and give it to `heed enroll` here; what waits is kept"
# numbers of X509_verify_cert, see x509_vfy.h of OpenSSL
VERIFY = {
    9: ("the far end's certificate is not valid yet; this clock says %(now)s", CLOCK),
    10: ("the far end's certificate has expired; this clock says %(now)s",
         "is this gateway's clock right? if it is, the far end needs a new certificate"),
    18: ("the far end's certificate is signed by itself", "give its authority's file as ca_file"),
    19: ("the far end's certificate is from an authority that is not trusted here", "give that authority's file as ca_file"),
    20: ("the far end's certificate is from an authority that is not trusted here", "give that authority's file as ca_file"),
    23: ("the far end's certificate is revoked", "do not send there: ask who runs it"),
    62: ("the far end's certificate is for another host name", "use the name that it was made for, or make it anew for this one"),
    64: ("the far end's certificate is for another address", "use the name that it was made for, or make it anew for this one"),
}
# what the far end's alert says of our certificate, see RFC 8446, section 6.2
ALERTS = (
    ("ALERT_CERTIFICATE_REVOKED", "this gateway's certificate is revoked", ENROL),
    ("ALERT_CERTIFICATE_EXPIRED", "the far end takes this gateway's certificate for expired or not valid yet",
     "are the clocks right on both sides?"),
    ("ALERT_UNKNOWN_CA", "the far end does not know the authority of this gateway's certificate", ENROL),
    ("CERTIFICATE_REQUIRED", "the far end wants a certificate of this gateway", "set cert_file; `heed enroll` gets one"),
    ("ALERT_HANDSHAKE_FAILURE", "the far end wants a certificate of this gateway, or another TLS", "set cert_file; `heed enroll` gets one"),
    ("ALERT_BAD_CERTIFICATE", "the far end refuses this gateway's certificate", ENROL),
    ("ALERT_CERTIFICATE_UNKNOWN", "the far end refuses this gateway's certificate", ENROL),
    ("WRONG_VERSION_NUMBER", "the far end does not speak TLS on this port", "write http:// or mqtt://, or the port that has TLS"),
)
CLOSED = ("EOF occurred in violation", "Server disconnected")  # the alert was lost on the way, as may happen with TLS 1.3
ELSEWHERE = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)  # no far end that could have judged us


def context(options):
    """SSL context for the options ca_file, cert_file and key_file. Raises ConfigError."""
    try:
        made = ssl.create_default_context(cafile=options["ca_file"] or None)
        if options["cert_file"]:
            made.load_cert_chain(options["cert_file"], options["key_file"] or None)
        return made
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("TLS files of %s: %s" % (options["url"], error), "give PEM files in ca_file, cert_file and key_file")


def served(cert_file, key_file, client_ca_file):
    """SSL context of a listener, which asks for certificates where an authority is given. Raises OSError, as ssl does."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca_file or None)
    made.load_cert_chain(cert_file, key_file or None)
    if client_ca_file:
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def common_name(transport):
    """Common name of the certificate that the other end of a line showed, or None."""
    certificate = transport.get_extra_info("peercert") if transport else None
    for part in certificate["subject"] if certificate else ():
        for key, value in part:
            if key == "commonName":
                return value
    return None


def chain(error):
    """An exception and what it came of, the newest first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def explain(error, options, said="", hint="is the far end up, and are we let in?"):
    """(message, hint) for a line that failed. said: what a library wrote of it elsewhere; hint: when nothing is known."""
    found = list(chain(error))
    for cause in found:
        words = VERIFY.get(getattr(cause, "verify_code", 0))
        if words:
            return words[0] % {"now": utc(time.time())}, words[1]
    if not any(getattr(cause, "errno", 0) in ELSEWHERE for cause in found):
        words = own_fault(options)
        if words:
            return words
    text = " ".join([said, *map(str, found)])
    for sign, message, remedy in ALERTS:
        if sign in text:
            return message, remedy
    closed = any(sign in text for sign in CLOSED) or any(isinstance(cause, ConnectionResetError) for cause in found)
    if closed and options.get("cert_file"):
        return "the far end closed the line, perhaps since it does not accept this gateway's certificate", "see its log, or: " + ENROL
    return said or str(found[-1]) or type(found[-1]).__name__, hint


def own_fault(options):
    """(message, hint) when the certificate of this gateway cannot hold by its own clock, else None."""
    if not options.get("cert_file"):
        return None
    from gateway.identity import facts_of  # not needed for a plain line
    try:
        facts = facts_of(options["cert_file"])
    except (OSError, ValueError):
        return None
    now = time.time()
    if now * 1000 < facts["from_ms"]:
        return "this gateway's certificate begins on %s, and its clock says %s" % (utc(facts["from_ms"] / 1000), utc(now)), CLOCK
    if now * 1000 > facts["to_ms"]:
        return ("this gateway's certificate ended on %s, and its clock says %s" % (utc(facts["to_ms"] / 1000), utc(now)),
                "if the clock is right: " + ENROL)
    return None


def utc(seconds):
    """A moment for a person."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
