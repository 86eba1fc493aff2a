"""RSA keys and access tokens, made by OpenSSL and PyJWT."""

import base64
import hashlib
import hmac
import json

import jwt
from cryptography.hazmat.primitives import serialization

from common import POOL, Refused, alter_last, b64url, check, check_refused

SUBJECT = "0198c0de-0000-7000-8000-000000000010"
OTHER_SUBJECT = "0198c0de-0000-7000-8000-000000000011"
ISSUER = f"https://auth.example.com/{POOL}/users/{SUBJECT}"
# The audience differs from the client, so that a mix-up of the two shows.
AUDIENCE = "https://api.example.com"
ISSUED_AT = 1767225600
LIFETIME = 900
NOW = ISSUED_AT + 60
CLAIMS = {
    "iss": ISSUER,
    "sub": SUBJECT,
    "aud": AUDIENCE,
    "client_id": "0198c0de-0000-7000-8000-000000000020",
    "iat": ISSUED_AT,
    "exp": ISSUED_AT + LIFETIME,
    "jti": "0198c0de-0000-7000-8000-000000000030",
    "sid": "0198c0de-0000-7000-8000-000000000040",
    "auth_time": ISSUED_AT - 30,
    "amr": ["pwd"],
    "roles": ["reader"],
}
REQUIRED_CLAIMS = ("exp", "iat", "iss", "aud", "sub", "client_id", "jti", "sid", "auth_time")
REFUSED_HEADERS = ("jwk", "jku", "x5u", "x5c", "crit")


def json_b64url(value):
    return b64url(json.dumps(value, separators=(",", ":")).encode("utf-8"))


def thumbprint(kty, n, e):
    """The RFC 7638 thumbprint: only these members, in this order, no spaces."""
    text = f'{{"e":"{e}","kty":"{kty}","n":"{n}"}}'
    return b64url(hashlib.sha256(text.encode("ascii")).digest())


def integer_b64url(value):
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def public_jwk(key):
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": integer_b64url(numbers.n), "e": integer_b64url(numbers.e)}


def key_pair_entry(key):
    pem = serialization.Encoding.PEM
    private_pem = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode("ascii")
    public_bytes = key.public_key().public_bytes(pem, serialization.PublicFormat.PKCS1)
    public_pem = public_bytes.decode("ascii")
    check(private_pem.startswith("-----BEGIN RSA PRIVATE KEY-----\n"), "PKCS#1")
    check(public_pem.startswith("-----BEGIN RSA PUBLIC KEY-----\n"), "PKCS#1")
    return {
        "private_pem": private_pem,
        "public_pem": public_pem,
        "thumbprint": thumbprint(**public_jwk(key)),
    }


def read_jwt(token, pair):
    """Verifies a token strictly, at the fixed time NOW, and returns its claims."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != "at+jwt" or header.get("alg") != "RS256":
            raise Refused("the header's type or algorithm is wrong")
        if header.get("kid") != pair["thumbprint"]:
            raise Refused("the key is not known")
        if any(name in header for name in REFUSED_HEADERS):
            raise Refused("the header names a key or an extension")
        # PyJWT compares times with the machine's clock and the vectors have
        # fixed times, so the time is compared below instead.
        claims = jwt.decode(
            token,
            pair["public_pem"],
            algorithms=["RS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": list(REQUIRED_CLAIMS), "verify_exp": False, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise Refused(str(error)) from error
    if not NOW < claims["exp"]:
        raise Refused("the token has expired")
    return claims


def sign_jwt(claims, key, kid, algorithm="RS256", typ="at+jwt", **headers):
    # PyJWT writes "JWT" unless told otherwise, and leaves the type out when it
    # is None.
    headers = {"typ": typ, "kid": kid, **headers}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def make_jwts(key, pair):
    variations = [
        {},
        {"roles": [], "amr": ["pwd", "otp"]},
        {
            "roles": ["reader", "writer", "owner of the caf\u00e9"],
            "amr": ["hwk", "user"],
            "jti": "0198c0de-0000-7000-8000-000000000031",
        },
    ]
    entries = []
    for variation in variations:
        claims = {**CLAIMS, **variation}
        token = sign_jwt(claims, key, pair["thumbprint"])
        check(read_jwt(token, pair) == claims, "the token verifies")
        check(
            jwt.get_unverified_header(token)
            == {"alg": "RS256", "typ": "at+jwt", "kid": pair["thumbprint"]},
            "the token's header",
        )
        entries.append({"token": token, "claims": claims, "key": 0})
    return entries


def make_refused_jwts(key, pair, other_key):
    kid = pair["thumbprint"]
    check(thumbprint(**public_jwk(other_key)) != kid, "the keys differ")
    valid = sign_jwt(CLAIMS, key, kid)
    head, body, signature = valid.split(".")
    entries = []

    def refuse(why, token):
        check(token != valid, f"changed: {why}")
        check_refused(lambda: read_jwt(token, pair), f"token, {why}")
        entries.append({"why": why, "token": token})

    def refuse_header(why, signer=key, **header):
        refuse(why, sign_jwt(CLAIMS, signer, kid, **header))

    def refuse_claims(why, **changes):
        refuse(why, sign_jwt({**CLAIMS, **changes}, key, kid))

    def header_by_hand(algorithm):
        return json_b64url({"alg": algorithm, "typ": "at+jwt", "kid": kid})

    refuse_header("typ JWT", typ="JWT")
    without_typ = sign_jwt(CLAIMS, key, kid, typ=None)
    check("typ" not in jwt.get_unverified_header(without_typ), "the type is missing")
    refuse("typ missing", without_typ)

    # PyJWT does not write the other spellings of "none", hence by hand.
    for name in ("none", "None", "nOnE"):
        refuse(f"alg {name}, no signature", f"{header_by_hand(name)}.{body}.")
    refuse(
        "alg none, the signature of an RS256 token kept",
        f"{header_by_hand('none')}.{body}.{signature}",
    )
    # The old confusion attack: a verifier that lets the token choose takes the
    # public key, which everybody has, for an HMAC secret. PyJWT will not use a
    # PEM as an HMAC secret, hence by hand.
    signed_part = f"{header_by_hand('HS256')}.{body}"
    mac = hmac.digest(pair["public_pem"].encode("ascii"), signed_part.encode("ascii"), "sha256")
    refuse("alg HS256 over the public PEM", f"{signed_part}.{b64url(mac)}")
    for algorithm in ("RS384", "RS512", "PS256"):
        refuse_header(f"alg {algorithm}", algorithm=algorithm)

    refuse_header("signed by the second key under the first's kid", other_key)
    # In the next ones, but for the one that says otherwise, the signature of
    # the first key is right, so that only the look at the header refuses them.
    refuse_header("jwk header with the right key", jwk=public_jwk(key))
    refuse_header(
        "jwk header with the second key, which signed", other_key, jwk=public_jwk(other_key)
    )
    refuse_header("jku header", jku="https://attacker.example/jwks.json")
    refuse_header("x5u header", x5u="https://attacker.example/chain.pem")
    extension = "https://example.com/ext"
    refuse_header("crit header", **{"crit": [extension], extension: True})

    for name in REQUIRED_CLAIMS:
        fewer = {k: v for k, v in CLAIMS.items() if k != name}
        refuse(f"{name} missing", sign_jwt(fewer, key, kid))
    refuse_claims("wrong aud", aud="https://other.example.com")
    refuse_claims("wrong iss, another pool", iss=ISSUER.replace(POOL, "eu-west-1_Other"))
    refuse_claims("wrong iss, another user", iss=ISSUER.replace(SUBJECT, OTHER_SUBJECT))
    issued_at = ISSUED_AT - 7200
    refuse_claims("expired", auth_time=issued_at - 30, iat=issued_at, exp=issued_at + LIFETIME)

    tampered = json_b64url({**CLAIMS, "roles": ["administrator"]})
    refuse("tampered payload", f"{head}.{tampered}.{signature}")
    raw_signature = base64.urlsafe_b64decode(signature + "==")
    check(len(raw_signature) == 256, "an RSA-2048 signature has 256 bytes")
    refuse("truncated signature", f"{head}.{body}.{b64url(raw_signature[:-1])}")
    refuse("altered signature", f"{head}.{body}.{b64url(alter_last(raw_signature))}")
    refuse("empty signature", f"{head}.{body}.")
    refuse("missing part", f"{head}.{body}")
    refuse("extra part", f"{valid}.{signature}")
    refuse("empty", "")
    return entries
