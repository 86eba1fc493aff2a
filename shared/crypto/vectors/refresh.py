"""The key and the MAC of refresh tokens, made by OpenSSL and the standard library."""

import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common import POOL, b64, check


def hkdf_sha256(key, salt, info, length):
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(key)


def hkdf_by_hand(key, salt, info, length):
    """RFC 5869 written out, as a second opinion on the library."""
    prk = hmac.digest(salt or bytes(32), key, "sha256")
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(prk, block + info + bytes([counter]), "sha256")
        output += block
        counter += 1
    return prk, output[:length]


def make_refresh():
    # Fixed inputs: nothing about them needs to be random, and each byte differs
    # from its neighbours, so that a wrong order or a wrong cut shows.
    secret = bytes(range(0x00, 0x30))
    info = b"freehold/refresh-mac/v1"
    key = hkdf_sha256(secret, None, info, 32)
    check(key == hkdf_by_hand(secret, None, info, 32)[1], "HKDF by hand agrees")

    pool, prefix = POOL.encode("utf-8"), b"fh_rt_"
    locator = bytes(range(0x40, 0x60))
    token_secret = bytes(range(0x80, 0xA0))
    # The lengths in front keep two different lists of parts from ever becoming
    # the same byte string.
    message = b"".join(
        len(part).to_bytes(8, "big") + part for part in (pool, prefix, locator, token_secret)
    )
    hkdf = {
        "application_secret": b64(secret),
        "application_secret_hex": secret.hex(),
        "info": info.decode("ascii"),
        "info_hex": info.hex(),
        "output_hex": key.hex(),
    }
    refresh_mac = {
        "key_hex": key.hex(),
        "pool": POOL,
        "pool_hex": pool.hex(),
        "prefix": prefix.decode("ascii"),
        "prefix_hex": prefix.hex(),
        "locator_hex": locator.hex(),
        "secret_hex": token_secret.hex(),
        "message_hex": message.hex(),
        "mac_hex": hmac.digest(key, message, "sha256")[:16].hex(),
    }
    return hkdf, refresh_mac
