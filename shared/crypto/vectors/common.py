"""The checks and encodings that the makers of the vectors share."""

import base64

POOL = "eu-west-1_Test"


class Refused(Exception):
    """Raised by the strict readers when they refuse an input."""


def check(condition, message):
    """Stops the script. Unlike `assert`, it also works under `python -O`."""
    if not condition:
        raise SystemExit(f"check failed: {message}")


def check_refused(reader, message):
    """Checks that the reader refuses, for a reason that it knows."""
    try:
        reader()
    except Refused:
        return
    raise SystemExit(f"check failed, this was accepted: {message}")


def b64(data):
    """Standard base64 with padding, which the envelopes use."""
    return base64.b64encode(data).decode("ascii")


def b64url(data):
    """URL-safe base64 without padding, which JOSE uses."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def alter_first(data):
    return bytes([data[0] ^ 1]) + data[1:]


def alter_last(data):
    return data[:-1] + bytes([data[-1] ^ 1])
