"""Sealed envelopes: AES-256-GCM by OpenSSL under a PBKDF2 key."""

import base64
import hashlib
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common import POOL, Refused, alter_first, alter_last, b64, check, check_refused

# The upper limit of the strict reader lies between what the vectors use and the
# 999999999 that must be refused; it is not a statement about Freehold's limit.
MAX_ITERATIONS = 10_000_000
ASSOCIATED_DATA = f"freehold/v1|{POOL}|private-key|0198c0de-0000-7000-8000-000000000001"
OTHER_ASSOCIATED_DATA = f"freehold/v1|{POOL}|client-secret|0198c0de-0000-7000-8000-000000000002"


def cipher_for(secret, salt, iterations):
    return AESGCM(hashlib.pbkdf2_hmac("sha256", secret, salt, iterations, 32))


def seal(secret, associated_data, plaintext, iterations, salt_len=16, nonce_len=12):
    """Seals with the secret's decoded bytes and returns the envelope's parts.

    The lengths are open so that a refused envelope can be correct in all but
    its length: only a reader that checks the length refuses it then.
    """
    salt = secrets.token_bytes(salt_len)
    nonce = secrets.token_bytes(nonce_len)
    ciphertext = cipher_for(secret, salt, iterations).encrypt(
        nonce, plaintext.encode("utf-8"), associated_data.encode("utf-8")
    )
    return ciphertext, salt, nonce, iterations


def join_envelope(ciphertext, salt, nonce, iterations):
    return f"{b64(ciphertext)}.{b64(salt)}.{b64(nonce)}.{iterations}"


def strict_b64_decode(text):
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise Refused("not base64") from error
    # Encoding again also refuses padding bits that are not zero.
    if b64(data) != text:
        raise Refused("not the one right base64")
    return data


def open_envelope(entry):
    """Opens an entry's envelope strictly and returns the plaintext."""
    parts = entry["envelope"].split(".")
    if len(parts) != 4:
        raise Refused("the number of parts is wrong")
    ciphertext, salt, nonce = (strict_b64_decode(part) for part in parts[:3])
    if len(ciphertext) < 16 or len(salt) != 16 or len(nonce) != 12:
        raise Refused("a length is wrong")
    if not re.fullmatch(r"[1-9][0-9]{0,9}", parts[3]):
        raise Refused("the iterations are not a plain number")
    iterations = int(parts[3])
    if iterations > MAX_ITERATIONS:
        raise Refused("there are too many iterations")
    secret = base64.b64decode(entry["application_secret"], validate=True)
    try:
        plaintext = cipher_for(secret, salt, iterations).decrypt(
            nonce, ciphertext, entry["associated_data"].encode("utf-8")
        )
    except InvalidTag as error:
        raise Refused("the tag does not match") from error
    return plaintext.decode("utf-8")


def envelope_entry(secret, associated_data, plaintext, envelope):
    return {
        "application_secret": b64(secret),
        "associated_data": associated_data,
        "plaintext": plaintext,
        "envelope": envelope,
    }


def make_envelopes(private_pem):
    cases = [
        (ASSOCIATED_DATA, "a small secret", 1000),
        (OTHER_ASSOCIATED_DATA, "Gr\u00fc\u00dfe, \u6c34, \U0001f511", 2500),
        (ASSOCIATED_DATA, private_pem, 1000),
        (ASSOCIATED_DATA, "as many iterations as production might use", 100000),
    ]
    entries = []
    for associated_data, plaintext, iterations in cases:
        secret = secrets.token_bytes(48)
        envelope = join_envelope(*seal(secret, associated_data, plaintext, iterations))
        entry = envelope_entry(secret, associated_data, plaintext, envelope)
        check(open_envelope(entry) == plaintext, "the envelope opens")
        entries.append(entry)
    return entries


def make_refused_envelopes():
    secret = secrets.token_bytes(48)
    # Both letters in which the alphabets differ have to stand in the text, or
    # the URL-safe form would be the same string. Its length also makes the
    # ciphertext end in padding.
    plaintext = "the plaintext of every envelope that has to be refused, in full!"
    while True:
        ciphertext, salt, nonce, _ = seal(secret, ASSOCIATED_DATA, plaintext, 1000)
        c, s, n = b64(ciphertext), b64(salt), b64(nonce)
        if "+" in c and "/" in c:
            break
    valid = f"{c}.{s}.{n}.1000"
    check(c.endswith("=") and s.endswith("=="), "both parts carry padding")
    check(
        open_envelope(envelope_entry(secret, ASSOCIATED_DATA, plaintext, valid)) == plaintext,
        "the envelope that the refused ones are made from opens",
    )
    entries = []

    def refuse(why, envelope, used_secret=secret, associated_data=ASSOCIATED_DATA):
        entry = envelope_entry(used_secret, associated_data, plaintext, envelope)
        check_refused(lambda: open_envelope(entry), f"envelope, {why}")
        entries.append({"why": why, **entry})

    def refuse_parts(why, ciphertext=ciphertext, salt=salt, nonce=nonce):
        refuse(why, join_envelope(ciphertext, salt, nonce, 1000))

    def refuse_texts(why, c=c, s=s, n=n, iterations="1000"):
        refuse(why, f"{c}.{s}.{n}.{iterations}")

    def refuse_sealed(why, secret=secret, **lengths):
        refuse(why, join_envelope(*seal(secret, ASSOCIATED_DATA, plaintext, 1000, **lengths)))

    refuse_parts("altered tag", ciphertext=alter_last(ciphertext))
    refuse_parts("altered ciphertext", ciphertext=alter_first(ciphertext))
    refuse_parts("altered salt", salt=alter_first(salt))
    refuse_parts("altered nonce", nonce=alter_first(nonce))
    refuse_parts("cut tag", ciphertext=ciphertext[:-1])
    refuse_parts("shorter than a tag", ciphertext=ciphertext[:15])
    refuse_parts("empty ciphertext", ciphertext=b"")
    refuse("other associated data", valid, associated_data=ASSOCIATED_DATA[:-1] + "2")
    refuse("empty associated data", valid, associated_data="")
    refuse("other secret", valid, used_secret=secrets.token_bytes(48))
    # The key comes from the decoded bytes; this one came from the text.
    refuse_sealed("key derived from the secret's base64 text", b64(secret).encode("ascii"))

    refuse_texts("iterations 0", iterations="0")
    refuse_texts("iterations 999999999", iterations="999999999")
    refuse_texts("other iterations", iterations="1001")
    # Lax number readers take the next ones, up to the wrapping ones, for 1000,
    # so that the tag would match: only the strictness of the reader refuses them.
    refuse_texts("iterations with a leading plus", iterations="+1000")
    refuse_texts("iterations with a leading zero", iterations="01000")
    refuse_texts("iterations with many leading zeros", iterations="0000001000")
    refuse_texts("iterations with a leading space", iterations=" 1000")
    refuse_texts("iterations with a trailing newline", iterations="1000\n")
    refuse_texts("iterations in another script", iterations="\u0661\u0660\u0660\u0660")
    refuse_texts("iterations that wrap at 32 bits", iterations=2**32 + 1000)
    refuse_texts("iterations that wrap at 64 bits", iterations=2**64 + 1000)
    refuse_texts("iterations negative", iterations="-1000")
    refuse_texts("iterations empty", iterations="")
    refuse_texts("iterations not a number", iterations="many")

    refuse("missing part, no iterations", f"{c}.{s}.{n}")
    refuse("missing part, no salt", f"{c}.{n}.1000")
    refuse("extra part at the end", valid + ".1000")
    refuse("extra empty part at the end", valid + ".")
    refuse("extra part at the start", "AAAA." + valid)
    refuse("empty", "")
    refuse("separators only", "...")

    # These three are sealed correctly, with a length that is not ours.
    refuse_sealed("nonce of 8 bytes", nonce_len=8)
    refuse_sealed("nonce of 16 bytes", nonce_len=16)
    refuse_sealed("salt of 8 bytes", salt_len=8)

    # The last letter before "==" holds four bits that must be zero, so the next
    # letter of the alphabet decodes to the same bytes in a lax reader.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose_salt = s[:-3] + alphabet[alphabet.index(s[-3]) + 1] + "=="
    check(base64.b64decode(loose_salt) == salt, "the loose salt has the same bytes")

    refuse_texts("ciphertext not base64", c="*" * len(c))
    refuse_texts("salt not base64", s="*" * len(s))
    refuse_texts("nonce not base64", n="*" * len(n))
    refuse_texts("ciphertext unpadded", c=c.rstrip("="))
    refuse_texts("salt unpadded", s=s.rstrip("="))
    refuse_texts("salt with loose padding bits", s=loose_salt)
    refuse_texts("URL-safe base64", c=c.replace("+", "-").replace("/", "_"))
    refuse_texts("newline inside the base64", c=f"{c[:8]}\n{c[8:]}")
    return entries
