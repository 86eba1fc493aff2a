"""Lets other people's libraries read what a running pool wrote.

It starts the local server, signs one user up and in and another one up, and
reads the table with AWS's own client. argon2-cffi judges the password hashes,
the readers of the test vectors open the envelopes, `cryptography` and the
program openssl judge the keys, PyJWT the access token, and hashlib the other
tokens. Each line says what one of them found. The first thing that is not as
it has to be ends the script, and so does a missing tool.
"""

import base64
import hashlib
import hmac
import json
import re
import subprocess
import sys
import tempfile
import unicodedata
import uuid
from pathlib import Path

import argon2
import boto3  # aws-sam-cli brings it.
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

# Compiled copies of the modules below would lie in the source tree.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1] / "shared" / "crypto" / "vectors"))

from common import Refused, b64, b64url
from envelopes import open_envelope
from passwords import password_matches
from pool import EMAIL, PASSWORD, POOL, call, running, signed_in, signed_up
from refresh import hkdf_sha256
from tokens import public_jwk, thumbprint

# From a keyboard that sends letters and their accents one by one, and a space that is not ASCII's.
TYPED = "Zoe\u0308 a\u0300 la\u00a0carte \u6c34 \U0001f511"
WAITING = "waiting@example.com"


def found(reader, what, actual, expected=True):
    """Prints what a reader found, or ends the script with what it found instead."""
    if actual != expected:
        raise SystemExit(f"{reader} did not find that {what}: {actual!r} instead of {expected!r}")
    print(f"{reader:12}  {what}", flush=True)


class Written:
    """All that the pool wrote, and the secret that opens it."""

    def __init__(self, folder):
        text = (folder / "functions.env").read_text(encoding="utf-8")
        environment = dict(re.findall(r"^(\w+)='(.*)'$", text, re.MULTILINE))
        self.application_secret = environment["APPLICATION_SECRET"]
        # The client insists on credentials; any will do.
        session = boto3.Session("local", "local", region_name=environment["AWS_REGION"])
        client = session.client("dynamodb", endpoint_url=environment["AWS_ENDPOINT_URL_DYNAMODB"])
        items = client.scan(TableName=environment["TABLE_NAME"])["Items"]
        # DynamoDB pairs each value with its type.
        self.items = [{name: next(iter(typed.values())) for name, typed in item.items()} for item in items]

    def item(self, pk, sk):
        """The only item whose keys begin so."""
        pk = f"{POOL}#{pk}"
        (item,) = (item for item in self.items if item["pk"].startswith(pk) and item["sk"].startswith(sk))
        return item

    def opened(self, envelope, *belongs_to):
        """What an envelope of this pool, purpose and owner holds; nothing where it does not open."""
        associated_data = "|".join(["freehold/v1", *belongs_to])
        entry = {"application_secret": self.application_secret, "associated_data": associated_data}
        try:
            return open_envelope({**entry, "envelope": envelope})
        except Refused:
            return None

    def check_hidden(self, what, *secrets):
        """Checks that no attribute of any item holds one of these secrets as it is or in another spelling."""
        text = json.dumps(self.items, default=b64, ensure_ascii=False)
        data = [secret.encode("utf-8") if isinstance(secret, str) else secret for secret in secrets]
        spelled = [secret for secret in secrets if isinstance(secret, str)]
        spelled += [spell(secret) for secret in data for spell in (b64, b64url, bytes.hex)]
        found("boto3", f"no item holds {what}", any(secret in text for secret in spelled), False)


def prepared(password):
    """A password as OpaqueString of RFC 8265 prepares it: with ASCII's space alone, and in NFC."""
    spaced = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in password)
    return unicodedata.normalize("NFC", spaced)


def check_password(written, user, password, wrong):
    """Compares passwords with a stored hash."""
    phc = written.item(f"USER#{user}", "CREDENTIALS")["password_hash"]
    actual = argon2.extract_parameters(phc)
    # The lanes are as many as the machine that hashed has CPUs.
    expected = argon2.Parameters(argon2.Type.ID, 19, 16, 32, 1, 65536, actual.parallelism)
    found("argon2-cffi", f"the hash of {user} is of {ascii(password)}", password_matches(password, phc))
    found("argon2-cffi", f"it is not of {ascii(wrong)}", password_matches(wrong, phc), False)
    found("argon2-cffi", "it is Argon2id v=19 m=65536 t=1, 32 bytes under 16 of salt", actual, expected)
    written.check_hidden("the password", password, wrong)


def check_envelope(written, envelope, purpose, owner, other_owner):
    """Opens an envelope, for its owner alone, and returns what it holds."""
    plaintext = written.opened(envelope, POOL, purpose, owner)
    found("cryptography", f"the envelope opens as {purpose} of {owner}", plaintext is not None)
    found("cryptography", "its key took 1000 iterations", envelope.rsplit(".", 1)[-1], "1000")
    others = (f"{POOL}0", purpose, owner), (POOL, "client-secret", owner), (POOL, purpose, other_owner)
    refused = [written.opened(envelope, *belongs_to) is None for belongs_to in others]
    found("cryptography", "it opens for no other pool, purpose or owner", refused, [True, True, True])
    return plaintext


def openssl(pem, *options):
    """What `openssl pkey` prints about the key on its standard input."""
    return subprocess.check_output(["openssl", "pkey", *options], input=pem, text=True).strip()


def check_key_pair(written, user, other_user):
    """Judges a user's two keys, and returns the private one."""
    envelope = written.item(f"USER#{user}", "CREDENTIALS")["private_key"]
    private_pem = check_envelope(written, envelope, "private-key", user, other_user)
    stored = written.item(f"USER#{user}", "PROFILE")["public_key"]
    public_pem = base64.b64decode(stored, validate=True).decode("ascii")

    labels = [pem.splitlines()[0] for pem in (private_pem, public_pem)]
    pkcs1 = ["-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN RSA PUBLIC KEY-----"]
    found("cryptography", "both keys are PKCS#1", labels, pkcs1)
    private, public = load_pem_private_key(private_pem.encode(), None), load_pem_public_key(public_pem.encode())
    found("cryptography", "they are RSA-2048, e=65537", (public.key_size, public.public_numbers().e), (2048, 65537))
    found("cryptography", "they are one pair", private.public_key() == public)

    found("openssl", "the private key is valid", openssl(private_pem, "-check", "-noout"), "Key is valid")
    found("openssl", "the public key is valid", openssl(public_pem, "-pubin", "-pubcheck", "-noout"), "Key is valid")
    found("openssl", "they are one pair", openssl(private_pem, "-pubout"), openssl(public_pem, "-pubin", "-pubout"))
    # Any line of it would do; this one is key alone.
    written.check_hidden("the private key", private_pem, private_pem.splitlines()[2])
    return private


def check_access_token(written, url, token, private):
    """Verifies an access token (RFC 9068) with the key set that its issuer serves."""
    session = written.item("USER#", "SESSION#")
    user, session_id = session["pk"].split("#")[2], session["sk"].split("#")[1]
    issuer = f"{url}/{POOL}/users/{user}"
    numbers = public_jwk(private)
    key = {**numbers, "use": "sig", "alg": "RS256", "kid": thumbprint(**numbers)}
    key_set = call(f"{issuer}/.well-known/jwks.json")
    found("hashlib", "the key set is the stored key under its RFC 7638 thumbprint", key_set, {"keys": [key]})

    rules = {"algorithms": ["RS256"], "audience": url, "issuer": issuer}
    verified = jwt.decode_complete(token, jwt.PyJWK(key_set["keys"][0]), **rules)
    header, claims = verified["header"], verified["payload"]
    found("PyJWT", "typ is at+jwt, kid the thumbprint", header, {"alg": "RS256", "typ": "at+jwt", "kid": key["kid"]})
    # The session began with the sign-in, and its id, a version 7 UUID, begins with that moment's milliseconds.
    signed_in_at = (uuid.UUID(session_id).int >> 80) // 1000
    times = {"auth_time": signed_in_at, "iat": signed_in_at, "exp": signed_in_at + 900}
    names = {"iss": issuer, "sub": user, "aud": url, "client_id": POOL, "sid": session_id}
    # This overwrites the version, so that only what is a random UUID already stays as it is.
    names["jti"] = str(uuid.UUID(claims["jti"], version=4))
    expected = {**names, **times, "amr": ["pwd"], "roles": ["user"]}
    for name, value in expected.items():
        found("PyJWT", f"{name} is {value}", claims.get(name), value)
    found("PyJWT", "there is no other claim", set(claims), set(expected))
    found("PyJWT", "the token lives 900 seconds", claims["exp"] - claims["iat"], 900)


def decoded(token, prefix):
    """The bytes of a token, which has exactly one spelling."""
    data = base64.urlsafe_b64decode(token.removeprefix(prefix) + "==")
    found("base64", f"the token is {prefix} and base64url", token, prefix + b64url(data))
    return data


def check_refresh_token(written, token):
    """Takes a refresh token apart: whose it is, the secret, and the proof of who made it."""
    data = decoded(token, "fh_rt_")
    locator, secret, mac = data[:32], data[32:64], data[64:]
    user, session_id = uuid.UUID(bytes=locator[:16]), uuid.UUID(bytes=locator[16:])
    session = written.item(f"USER#{user}", f"SESSION#{session_id}")
    found("hashlib", "its session keeps the SHA-256 of it", session["current_hash"], hashlib.sha256(secret).digest())
    written.check_hidden("the refresh token", token, data, secret)
    parts = (POOL.encode(), b"fh_rt_", locator, secret)
    found("hashlib", "its MAC is right", mac, mac_over(written, b"freehold/refresh-mac/v1", parts)[:16])


def mac_over(written, info, parts):
    """The MAC of some parts, each after its length, under a key of its own from the application secret."""
    application_secret = base64.b64decode(written.application_secret, validate=True)
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.digest(hkdf_sha256(application_secret, None, info, 32), message, "sha256")


def check_mailed_token(written, challenge, token):
    """Checks that a mailed token is stored as its hash."""
    secret = decoded(token, "fh_ev_")
    found("hashlib", "its challenge keeps the SHA-256 of it", challenge["token_hash"], hashlib.sha256(secret).digest())
    written.check_hidden("the mailed token", token, secret)


def check_mailed_code(written, challenge, user, code):
    """Checks that a mailed code is stored as a MAC that is bound to its challenge."""
    found("re", "a code is eight digits", bool(re.fullmatch("[0-9]{8}", code)))
    email, token_hash = challenge["email"].encode(), challenge["token_hash"]
    parts = (POOL.encode(), b"verify-email", uuid.UUID(user).bytes, email, token_hash, code.encode())
    expected = mac_over(written, b"freehold/code-mac/v1", parts)
    found("hashlib", "its challenge keeps the MAC of it", challenge["code_mac"], expected)
    written.check_hidden("the mailed code", code)


def main():
    with tempfile.TemporaryDirectory() as folder, running("--data", folder) as url:
        tokens = signed_in(url, password=TYPED)
        link = signed_up(url, WAITING)
        # The mail that nobody gets is written like any other, but stays: the others are gone once they are sent.
        call(f"{url}/verify-email/resend", {"email": "stranger@example.com"})
        written = Written(Path(folder))

        user = written.item(f"LOGIN#email#{EMAIL}", "CLAIM")["user_id"]
        check_password(written, user, prepared(TYPED), TYPED)
        check_password(written, link["user"], PASSWORD, PASSWORD.upper())
        key = check_key_pair(written, user, link["user"])
        check_key_pair(written, link["user"], user)
        check_access_token(written, url, tokens["access_token"], key)
        check_refresh_token(written, tokens["refresh_token"])
        check_mailed_token(written, written.item(f"USER#{link['user']}", "CHALLENGE#"), link["token"])

        letter = written.item("DECOY#", "LETTER")
        mail = letter["pk"].rsplit("#", 1)[-1]
        token, code = check_envelope(written, letter["sealed_secrets"], "mail", mail, user).split(" ")
        challenge = written.item("DECOY#verify-email#stranger@example.com", "CHALLENGE")
        check_mailed_token(written, challenge, token)
        check_mailed_code(written, challenge, letter["user_id"], code)


if __name__ == "__main__":
    main()
