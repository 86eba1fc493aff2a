"""Makes vectors.json, the interoperability vectors of the Freehold crypto crate.

An argument names another file to write.

A test that only reads what the same code wrote cannot notice that both halves
share a mistake. The values here therefore come from implementations that share
no code with ours: argon2-cffi (the Argon2 reference code in C), cryptography
(OpenSSL), PyJWT, and the Python standard library.

The script checks each entry before it writes the file: what must be accepted is
accepted by a strict reader written here, and what must be refused is refused by
it. The RFC examples are recomputed, so a typing error in one stops the script.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import sys
import unicodedata
from pathlib import Path

import argon2
import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

OUTPUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("vectors.json"))


class Refused(Exception):
    """Raised by the strict readers below when they refuse an input."""


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


def b64url_decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact_json(value):
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


# --- Passwords ---------------------------------------------------------------

# A stored hash chooses its own cost, so a forged one could exhaust the server.
# These limits have to be applied before any hashing starts.
PHC_MAX_MEMORY = 262144
PHC_MAX_ITERATIONS = 10
PHC_MAX_LANES = 16

PHC_PATTERN = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,9})"
    r"\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)


def read_phc(phc):
    """Reads a PHC string strictly and returns memory and iterations."""
    match = PHC_PATTERN.fullmatch(phc)
    if not match:
        raise Refused("the form is wrong")
    memory, iterations, lanes = (int(match[i]) for i in (1, 2, 3))
    if not 8 * lanes <= memory <= PHC_MAX_MEMORY:
        raise Refused("the memory is out of range")
    if not 1 <= iterations <= PHC_MAX_ITERATIONS:
        raise Refused("the iterations are out of range")
    if not 1 <= lanes <= PHC_MAX_LANES:
        raise Refused("the lanes are out of range")
    # One character left over after groups of four cannot encode a byte.
    if len(match[4]) % 4 == 1 or len(match[5]) % 4 == 1:
        raise Refused("the base64 is cut")
    return memory, iterations


def hash_password(password, memory, iterations, lanes):
    hasher = argon2.PasswordHasher(
        time_cost=iterations,
        memory_cost=memory,
        parallelism=lanes,
        hash_len=32,
        salt_len=16,
        type=argon2.Type.ID,
    )
    return hasher.hash(password)


def password_matches(password, phc):
    try:
        return argon2.PasswordHasher().verify(phc, password)
    except argon2.exceptions.VerifyMismatchError:
        return False


def make_passwords():
    # The escapes keep the code points exact whatever an editor does with this
    # file. The password holds letters that NFC composes, a letter outside
    # Latin, and one outside the first Unicode plane.
    unicode_password = "Gr\u00fc\u00dfe \u00e0 \u017b\u00f3\u0142w \u6c34 \U0001f511"
    check(
        unicodedata.is_normalized("NFC", unicode_password)
        and not unicodedata.is_normalized("NFD", unicode_password),
        "the Unicode password is in NFC and would differ in NFD",
    )
    cases = [
        ("correct horse battery staple", 65536, 1, 1),
        ("Tr0ub4dor&3", 65536, 1, 2),
        ("a longer pass phrase, with $dollar$ signs", 65536, 1, 4),
        ("weaker memory makes this outdated", 19456, 2, 1),
        ("more memory than needed is fine", 131072, 1, 1),
        (unicode_password, 65536, 1, 1),
    ]
    passwords = []
    for password, memory, iterations, lanes in cases:
        phc = hash_password(password, memory, iterations, lanes)
        check(read_phc(phc) == (memory, iterations), f"the parameters of {phc}")
        check(password_matches(password, phc), f"{phc} verifies")
        # The policy also names iterations below 1 and versions below 19, but
        # no entry here has either: the first is not Argon2 at all, and the
        # second is left out on purpose.
        passwords.append(
            {"password": password, "phc": phc, "outdated": memory < 65536}
        )
    return passwords


def make_wrong_passwords(passwords):
    first, second = passwords[0], passwords[1]
    # The first letter of the hash changes and the last stays, because the last
    # one carries padding bits, and a change there could make the base64 invalid
    # where we want a valid hash of something else.
    head, tail = first["phc"].rsplit("$", 1)
    other_hash = head + "$" + ("B" if tail[0] == "A" else "A") + tail[1:]
    wrong = [
        {"password": "Correct horse battery staple", "phc": first["phc"]},
        {"password": "correct horse battery staple ", "phc": first["phc"]},
        {"password": first["password"], "phc": second["phc"]},
        {"password": first["password"], "phc": other_hash},
    ]
    for entry in wrong:
        read_phc(entry["phc"])
        check(
            not password_matches(entry["password"], entry["phc"]),
            f"{entry['phc']} does not verify",
        )
    return wrong


def make_refused_phc(passwords):
    valid = passwords[0]["phc"]
    parameters = "$m=65536,t=1,p=1$"
    check(parameters in valid, "the first hash has the parameters we rewrite")
    without_hash, hash_text = valid.rsplit("$", 1)
    without_salt = without_hash.rsplit("$", 1)[0]
    check(len(hash_text) == 43, "a 32-byte hash has 43 letters")

    def with_parameters(text):
        return valid.replace(parameters, f"${text}$")

    refused = [
        ("memory one over the limit", with_parameters("m=262145,t=1,p=1")),
        ("memory far over the limit", with_parameters("m=4294967295,t=1,p=1")),
        # A reader that wraps at 32 bits would see 65536 here.
        ("memory beyond 32 bits", with_parameters("m=4295032832,t=1,p=1")),
        ("memory below eight blocks a lane", with_parameters("m=31,t=1,p=4")),
        ("memory zero", with_parameters("m=0,t=1,p=1")),
        ("memory negative", with_parameters("m=-65536,t=1,p=1")),
        ("iterations one over the limit", with_parameters("m=65536,t=11,p=1")),
        ("iterations zero", with_parameters("m=65536,t=0,p=1")),
        ("lanes one over the limit", with_parameters("m=65536,t=1,p=17")),
        ("lanes zero", with_parameters("m=65536,t=1,p=0")),
        ("argon2i", valid.replace("$argon2id$", "$argon2i$")),
        ("argon2d", valid.replace("$argon2id$", "$argon2d$")),
        ("an algorithm nobody knows", valid.replace("$argon2id$", "$argon2x$")),
        ("cut inside the hash", without_hash + "$" + hash_text[:41]),
        ("cut before the hash, separator kept", without_hash + "$"),
        ("cut before the hash", without_hash),
        ("cut before the salt", without_salt),
        ("cut inside the parameters", valid[: valid.index(",t=") + 2]),
        ("cut after the algorithm", "$argon2id"),
        ("no leading separator", valid[1:]),
        ("a part too many", valid + "$AAAA"),
        ("the hash is not base64", without_hash + "$" + "*" * 43),
        ("the salt is not base64", without_salt + "$" + "*" * 22 + "$" + hash_text),
        ("empty", ""),
        ("separators only", "$$$$$"),
        ("plain words", "this is not a hash"),
        (
            "a bcrypt string",
            "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
        ),
    ]
    for why, phc in refused:
        check(phc != valid, f"changed: {why}")
        check_refused(lambda: read_phc(phc), f"hash, {why}")
    return [{"why": why, "phc": phc} for why, phc in refused]


# --- Envelopes ---------------------------------------------------------------

# The upper limit of the strict reader lies between what the vectors use and the
# 999999999 that must be refused; it is not a statement about Freehold's limit.
ENVELOPE_MAX_ITERATIONS = 10_000_000
ASSOCIATED_DATA = (
    "freehold/v1|eu-west-1_Test|private-key|0198c0de-0000-7000-8000-000000000001"
)


def envelope_key(secret, salt, iterations):
    return hashlib.pbkdf2_hmac("sha256", secret, salt, iterations, 32)


def seal(secret, associated_data, plaintext, iterations, salt_len=16, nonce_len=12):
    """Seals with the secret's decoded bytes and returns the envelope's parts.

    The lengths are open so that a refused envelope can be correct in all but
    its length: only a reader that checks the length refuses it then.
    """
    salt = secrets.token_bytes(salt_len)
    nonce = secrets.token_bytes(nonce_len)
    cipher = AESGCM(envelope_key(secret, salt, iterations)).encrypt(
        nonce, plaintext.encode("utf-8"), associated_data.encode("utf-8")
    )
    return cipher, salt, nonce, iterations


def join_envelope(cipher, salt, nonce, iterations):
    return f"{b64(cipher)}.{b64(salt)}.{b64(nonce)}.{iterations}"


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
    cipher, salt, nonce = (strict_b64_decode(part) for part in parts[:3])
    if len(cipher) < 16 or len(salt) != 16 or len(nonce) != 12:
        raise Refused("a length is wrong")
    if not re.fullmatch(r"[1-9][0-9]{0,9}", parts[3]):
        raise Refused("the iterations are not a plain number")
    iterations = int(parts[3])
    if iterations > ENVELOPE_MAX_ITERATIONS:
        raise Refused("there are too many iterations")
    secret = base64.b64decode(entry["application_secret"], validate=True)
    try:
        plaintext = AESGCM(envelope_key(secret, salt, iterations)).decrypt(
            nonce, cipher, entry["associated_data"].encode("utf-8")
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
        (
            "freehold/v1|eu-west-1_Test|client-secret|"
            "0198c0de-0000-7000-8000-000000000002",
            "Gr\u00fc\u00dfe, \u6c34, \U0001f511",
            2500,
        ),
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


def alter_last(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def alter_first(data):
    return bytes([data[0] ^ 1]) + data[1:]


def make_refused_envelopes():
    secret = secrets.token_bytes(48)
    # Both letters in which the alphabets differ have to stand in the text, or
    # the URL-safe form would be the same string. Its length also makes the
    # ciphertext end in padding.
    plaintext = "the plaintext of every envelope that has to be refused, in full!"
    while True:
        cipher, salt, nonce, iterations = seal(secret, ASSOCIATED_DATA, plaintext, 1000)
        if "+" in b64(cipher) and "/" in b64(cipher):
            break
    c, s, n = b64(cipher), b64(salt), b64(nonce)
    valid = join_envelope(cipher, salt, nonce, iterations)
    check(c.endswith("=") and s.endswith("=="), "both parts carry padding")
    check(
        open_envelope(envelope_entry(secret, ASSOCIATED_DATA, plaintext, valid))
        == plaintext,
        "the envelope that the refused ones are made from opens",
    )

    # The last letter before "==" holds four bits that must be zero, so the next
    # letter of the alphabet decodes to the same bytes in a lax reader.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose_salt = s[:-3] + alphabet[alphabet.index(s[-3]) + 1] + "=="
    check(base64.b64decode(loose_salt) == salt, "the loose salt has the same bytes")

    other_data = ASSOCIATED_DATA[:-1] + "2"
    entries = []

    def refuse(why, envelope, used_secret=secret, associated_data=ASSOCIATED_DATA):
        entry = envelope_entry(used_secret, associated_data, plaintext, envelope)
        check_refused(lambda: open_envelope(entry), f"envelope, {why}")
        entries.append({"why": why, **entry})

    def refuse_iterations(why, text):
        refuse(why, f"{c}.{s}.{n}.{text}")

    refuse("altered tag", join_envelope(alter_last(cipher), salt, nonce, 1000))
    refuse(
        "altered ciphertext", join_envelope(alter_first(cipher), salt, nonce, 1000)
    )
    refuse("altered salt", join_envelope(cipher, alter_first(salt), nonce, 1000))
    refuse("altered nonce", join_envelope(cipher, salt, alter_first(nonce), 1000))
    refuse("cut tag", join_envelope(cipher[:-1], salt, nonce, 1000))
    refuse("shorter than a tag", join_envelope(cipher[:15], salt, nonce, 1000))
    refuse("empty ciphertext", join_envelope(b"", salt, nonce, 1000))
    refuse("other associated data", valid, associated_data=other_data)
    refuse("empty associated data", valid, associated_data="")
    refuse("other secret", valid, used_secret=secrets.token_bytes(48))
    # The key comes from the decoded bytes; this one came from the text.
    refuse(
        "key derived from the secret's base64 text",
        join_envelope(
            *seal(b64(secret).encode("ascii"), ASSOCIATED_DATA, plaintext, 1000)
        ),
    )

    refuse_iterations("iterations 0", "0")
    refuse_iterations("iterations 999999999", "999999999")
    refuse_iterations("other iterations", "1001")
    # Lax number readers take all of the next ones for 1000, so that the tag
    # would match: only the strictness of the reader refuses them.
    refuse_iterations("iterations with a leading plus", "+1000")
    refuse_iterations("iterations with a leading zero", "01000")
    refuse_iterations("iterations with many leading zeros", "0000001000")
    refuse_iterations("iterations with a leading space", " 1000")
    refuse_iterations("iterations with a trailing newline", "1000\n")
    refuse_iterations("iterations in another script", "\u0661\u0660\u0660\u0660")
    refuse_iterations("iterations that wrap at 32 bits", str(2**32 + 1000))
    refuse_iterations("iterations that wrap at 64 bits", str(2**64 + 1000))
    refuse_iterations("iterations negative", "-1000")
    refuse_iterations("iterations empty", "")
    refuse_iterations("iterations not a number", "many")

    refuse("missing part, no iterations", f"{c}.{s}.{n}")
    refuse("missing part, no salt", f"{c}.{n}.1000")
    refuse("extra part at the end", valid + ".1000")
    refuse("extra empty part at the end", valid + ".")
    refuse("extra part at the start", "AAAA." + valid)
    refuse("empty", "")
    refuse("separators only", "...")

    # These three are sealed correctly, with a length that is not ours.
    refuse(
        "nonce of 8 bytes",
        join_envelope(*seal(secret, ASSOCIATED_DATA, plaintext, 1000, nonce_len=8)),
    )
    refuse(
        "nonce of 16 bytes",
        join_envelope(*seal(secret, ASSOCIATED_DATA, plaintext, 1000, nonce_len=16)),
    )
    refuse(
        "salt of 8 bytes",
        join_envelope(*seal(secret, ASSOCIATED_DATA, plaintext, 1000, salt_len=8)),
    )

    refuse("ciphertext not base64", f"{'*' * len(c)}.{s}.{n}.1000")
    refuse("salt not base64", f"{c}.{'*' * len(s)}.{n}.1000")
    refuse("nonce not base64", f"{c}.{s}.{'*' * len(n)}.1000")
    refuse("ciphertext unpadded", f"{c.rstrip('=')}.{s}.{n}.1000")
    refuse("salt unpadded", f"{c}.{s.rstrip('=')}.{n}.1000")
    refuse("salt with loose padding bits", f"{c}.{loose_salt}.{n}.1000")
    refuse(
        "URL-safe base64",
        f"{c.replace('+', '-').replace('/', '_')}.{s}.{n}.1000",
    )
    refuse("newline inside the base64", f"{c[:8]}\n{c[8:]}.{s}.{n}.1000")
    return entries


# --- Keys and tokens ---------------------------------------------------------


def thumbprint(kty, n, e):
    """The RFC 7638 thumbprint: only these members, in this order, no spaces."""
    text = f'{{"e":"{e}","kty":"{kty}","n":"{n}"}}'
    return b64url(hashlib.sha256(text.encode("ascii")).digest())


def integer_b64url(value):
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def public_jwk(key):
    numbers = key.public_key().public_numbers()
    return {
        "kty": "RSA",
        "n": integer_b64url(numbers.n),
        "e": integer_b64url(numbers.e),
    }


def key_pair_entry(key):
    private_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode("ascii")
    public_pem = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        .decode("ascii")
    )
    check(private_pem.startswith("-----BEGIN RSA PRIVATE KEY-----\n"), "PKCS#1")
    check(public_pem.startswith("-----BEGIN RSA PUBLIC KEY-----\n"), "PKCS#1")
    return {
        "private_pem": private_pem,
        "public_pem": public_pem,
        "thumbprint": thumbprint(**public_jwk(key)),
    }


POOL = "eu-west-1_Test"
SUBJECT = "0198c0de-0000-7000-8000-000000000010"
OTHER_SUBJECT = "0198c0de-0000-7000-8000-000000000011"
ISSUER = f"https://auth.example.com/{POOL}/users/{SUBJECT}"
# The audience differs from the client, so that a mix-up of the two shows.
AUDIENCE = "https://api.example.com"
ISSUED_AT = 1767225600
LIFETIME = 900
NOW = ISSUED_AT + 60
REQUIRED_CLAIMS = (
    "exp",
    "iat",
    "iss",
    "aud",
    "sub",
    "client_id",
    "jti",
    "sid",
    "auth_time",
)
REFUSED_HEADERS = ("jwk", "jku", "x5u", "x5c", "crit")


def base_claims():
    return {
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


def read_jwt(token, public_pem, kid):
    """Verifies a token strictly, at the fixed time NOW, and returns its claims."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != "at+jwt" or header.get("alg") != "RS256":
            raise Refused("the header's type or algorithm is wrong")
        if header.get("kid") != kid:
            raise Refused("the key is not known")
        if any(name in header for name in REFUSED_HEADERS):
            raise Refused("the header names a key or an extension")
        # PyJWT compares times with the machine's clock and the vectors have
        # fixed times, so the time is compared below instead.
        claims = jwt.decode(
            token,
            public_pem,
            algorithms=["RS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": list(REQUIRED_CLAIMS),
                "verify_exp": False,
                "verify_iat": False,
            },
        )
    except jwt.PyJWTError as error:
        raise Refused(str(error)) from error
    if not NOW < claims["exp"]:
        raise Refused("the token has expired")
    return claims


def sign_jwt(claims, key, kid, algorithm="RS256", typ="at+jwt", **headers):
    # PyJWT writes "JWT" unless told otherwise, and leaves the type out when it
    # is None.
    return jwt.encode(
        claims,
        key,
        algorithm=algorithm,
        headers={"typ": typ, "kid": kid, **headers},
    )


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
        claims = {**base_claims(), **variation}
        token = sign_jwt(claims, key, pair["thumbprint"])
        check(
            read_jwt(token, pair["public_pem"], pair["thumbprint"]) == claims,
            "the token verifies",
        )
        check(
            jwt.get_unverified_header(token)
            == {"alg": "RS256", "typ": "at+jwt", "kid": pair["thumbprint"]},
            "the token's header",
        )
        entries.append({"token": token, "claims": claims, "key": 0})
    return entries


def make_refused_jwts(key, pair, other_key, other_pair):
    kid = pair["thumbprint"]
    claims = base_claims()
    valid = sign_jwt(claims, key, kid)
    head, body, signature = valid.split(".")
    entries = []

    def refuse(why, token):
        check(token != valid, f"changed: {why}")
        check_refused(lambda: read_jwt(token, pair["public_pem"], kid), f"token, {why}")
        entries.append({"why": why, "token": token})

    def by_hand_header(algorithm):
        return b64url(compact_json({"alg": algorithm, "typ": "at+jwt", "kid": kid}))

    refuse("typ JWT", sign_jwt(claims, key, kid, typ="JWT"))
    without_typ = sign_jwt(claims, key, kid, typ=None)
    check("typ" not in jwt.get_unverified_header(without_typ), "the type is missing")
    refuse("typ missing", without_typ)

    # PyJWT does not write the other spellings of "none", hence by hand.
    for name in ("none", "None", "nOnE"):
        refuse(f"alg {name}, no signature", f"{by_hand_header(name)}.{body}.")
    refuse(
        "alg none, the signature of an RS256 token kept",
        f"{by_hand_header('none')}.{body}.{signature}",
    )
    # The old confusion attack: a verifier that lets the token choose takes the
    # public key, which everybody has, for an HMAC secret. PyJWT will not use a
    # PEM as an HMAC secret, hence by hand.
    signed_part = f"{by_hand_header('HS256')}.{body}"
    mac = hmac.digest(
        pair["public_pem"].encode("ascii"), signed_part.encode("ascii"), "sha256"
    )
    refuse("alg HS256 over the public PEM", f"{signed_part}.{b64url(mac)}")
    for algorithm in ("RS384", "RS512", "PS256"):
        refuse(f"alg {algorithm}", sign_jwt(claims, key, kid, algorithm=algorithm))

    refuse("signed by the second key under the first's kid", sign_jwt(claims, other_key, kid))
    # In the next ones the signature of the first key is right, so that only
    # the look at the header refuses them.
    refuse("jwk header with the right key", sign_jwt(claims, key, kid, jwk=public_jwk(key)))
    refuse(
        "jwk header with the second key, which signed",
        sign_jwt(claims, other_key, kid, jwk=public_jwk(other_key)),
    )
    refuse(
        "jku header",
        sign_jwt(claims, key, kid, jku="https://attacker.example/jwks.json"),
    )
    refuse(
        "x5u header",
        sign_jwt(claims, key, kid, x5u="https://attacker.example/chain.pem"),
    )
    refuse(
        "crit header",
        sign_jwt(
            claims,
            key,
            kid,
            **{"crit": ["https://example.com/ext"], "https://example.com/ext": True},
        ),
    )

    for name in REQUIRED_CLAIMS:
        fewer = {k: v for k, v in claims.items() if k != name}
        refuse(f"{name} missing", sign_jwt(fewer, key, kid))

    def with_claims(**changes):
        return {**claims, **changes}

    refuse(
        "wrong aud", sign_jwt(with_claims(aud="https://other.example.com"), key, kid)
    )
    refuse(
        "wrong iss, another pool",
        sign_jwt(
            with_claims(iss=ISSUER.replace(POOL, "eu-west-1_Other")), key, kid
        ),
    )
    refuse(
        "wrong iss, another user",
        sign_jwt(with_claims(iss=ISSUER.replace(SUBJECT, OTHER_SUBJECT)), key, kid),
    )
    refuse(
        "expired",
        sign_jwt(
            with_claims(
                auth_time=ISSUED_AT - 7230,
                iat=ISSUED_AT - 7200,
                exp=ISSUED_AT - 7200 + LIFETIME,
            ),
            key,
            kid,
        ),
    )

    tampered = b64url(compact_json(with_claims(roles=["administrator"])))
    refuse("tampered payload", f"{head}.{tampered}.{signature}")
    raw_signature = b64url_decode(signature)
    check(len(raw_signature) == 256, "an RSA-2048 signature has 256 bytes")
    refuse("truncated signature", f"{head}.{body}.{b64url(raw_signature[:-1])}")
    refuse(
        "altered signature", f"{head}.{body}.{b64url(alter_last(raw_signature))}"
    )
    refuse("empty signature", f"{head}.{body}.")
    refuse("missing part", f"{head}.{body}")
    refuse("extra part", f"{valid}.{signature}")
    refuse("empty", "")
    check(other_pair["thumbprint"] != kid, "the keys differ")
    return entries


# --- Refresh tokens ----------------------------------------------------------


def hkdf_sha256(key, salt, info, length):
    return HKDF(
        algorithm=hashes.SHA256(), length=length, salt=salt, info=info
    ).derive(key)


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

    prefix = "fh_rt_"
    locator = bytes(range(0x40, 0x60))
    token_secret = bytes(range(0x80, 0xA0))
    # The lengths in front keep two different lists of parts from ever becoming
    # the same byte string.
    message = b"".join(
        len(part).to_bytes(8, "big") + part
        for part in (POOL.encode("utf-8"), prefix.encode("utf-8"), locator, token_secret)
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
        "pool_hex": POOL.encode("utf-8").hex(),
        "prefix": prefix,
        "prefix_hex": prefix.encode("utf-8").hex(),
        "locator_hex": locator.hex(),
        "secret_hex": token_secret.hex(),
        "message_hex": message.hex(),
        "mac_hex": hmac.digest(key, message, "sha256")[:16].hex(),
    }
    return hkdf, refresh_mac


# --- Examples from the RFCs --------------------------------------------------


def make_rfc():
    argon2id = {
        "source": "RFC 9106 section 5.3",
        "version": 19,
        "memory": 32,
        "iterations": 3,
        "parallelism": 4,
        "tag_length": 32,
        "password_hex": "01" * 32,
        "salt_hex": "02" * 16,
        "secret_hex": "03" * 8,
        "associated_data_hex": "04" * 12,
        "tag_hex": "0d640df58d78766c08c037a34a8b53c9"
        "d01ef0452d75b65eb52520e96b01e659",
    }
    tag = Argon2id(
        salt=bytes.fromhex(argon2id["salt_hex"]),
        length=argon2id["tag_length"],
        iterations=argon2id["iterations"],
        lanes=argon2id["parallelism"],
        memory_cost=argon2id["memory"],
        ad=bytes.fromhex(argon2id["associated_data_hex"]),
        secret=bytes.fromhex(argon2id["secret_hex"]),
    ).derive(bytes.fromhex(argon2id["password_hex"]))
    check(tag.hex() == argon2id["tag_hex"], "RFC 9106 section 5.3")

    jwk_thumbprint = {
        "source": "RFC 7638 section 3.1",
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aP"
        "FFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93l"
        "qt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu"
        "6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksIN"
        "HaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "thumbprint": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    }
    check(
        thumbprint(jwk_thumbprint["kty"], jwk_thumbprint["n"], jwk_thumbprint["e"])
        == jwk_thumbprint["thumbprint"],
        "RFC 7638 section 3.1",
    )

    pbkdf2 = [
        {
            "source": "RFC 7914 section 11, first",
            "password": "passwd",
            "salt": "salt",
            "iterations": 1,
            "length": 64,
            "output_hex": "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
        },
        {
            "source": "RFC 7914 section 11, second",
            "password": "Password",
            "salt": "NaCl",
            "iterations": 80000,
            "length": 64,
            "output_hex": "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
            "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
        },
    ]
    for entry in pbkdf2:
        output = hashlib.pbkdf2_hmac(
            "sha256",
            entry["password"].encode("ascii"),
            entry["salt"].encode("ascii"),
            entry["iterations"],
            entry["length"],
        )
        check(output.hex() == entry["output_hex"], entry["source"])

    hkdf = [
        {
            "source": "RFC 5869 A.1",
            "ikm_hex": "0b" * 22,
            "salt_hex": "000102030405060708090a0b0c",
            "info_hex": "f0f1f2f3f4f5f6f7f8f9",
            "length": 42,
            "prk_hex": "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "okm_hex": "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
            "34007208d5b887185865",
        },
        {
            "source": "RFC 5869 A.2",
            "ikm_hex": bytes(range(0x00, 0x50)).hex(),
            "salt_hex": bytes(range(0x60, 0xB0)).hex(),
            "info_hex": bytes(range(0xB0, 0x100)).hex(),
            "length": 82,
            "prk_hex": "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            "okm_hex": "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87",
        },
        {
            "source": "RFC 5869 A.3",
            "ikm_hex": "0b" * 22,
            "salt_hex": "",
            "info_hex": "",
            "length": 42,
            "prk_hex": "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "okm_hex": "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
            "9d201395faa4b61a96c8",
        },
    ]
    for entry in hkdf:
        ikm, salt, info = (
            bytes.fromhex(entry[name]) for name in ("ikm_hex", "salt_hex", "info_hex")
        )
        prk, okm = hkdf_by_hand(ikm, salt, info, entry["length"])
        check(prk.hex() == entry["prk_hex"], entry["source"])
        check(okm.hex() == entry["okm_hex"], entry["source"])
        check(okm == hkdf_sha256(ikm, salt, info, entry["length"]), entry["source"])

    hmac_sha256 = [
        {
            "source": "RFC 4231 test case 1",
            "key_hex": "0b" * 20,
            "data_hex": b"Hi There".hex(),
            "mac_hex": "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        },
        {
            "source": "RFC 4231 test case 2",
            "key_hex": b"Jefe".hex(),
            "data_hex": b"what do ya want for nothing?".hex(),
            "mac_hex": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        },
    ]
    for entry in hmac_sha256:
        mac = hmac.digest(
            bytes.fromhex(entry["key_hex"]), bytes.fromhex(entry["data_hex"]), "sha256"
        )
        check(mac.hex() == entry["mac_hex"], entry["source"])

    return {
        "argon2id": argon2id,
        "jwk_thumbprint": jwk_thumbprint,
        "pbkdf2_hmac_sha256": pbkdf2,
        "hkdf_sha256": hkdf,
        "hmac_sha256": hmac_sha256,
    }


def main():
    rfc = make_rfc()
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
    pairs = [key_pair_entry(key) for key in keys]
    passwords = make_passwords()
    hkdf, refresh_mac = make_refresh()
    vectors = {
        "passwords": passwords,
        "wrong_passwords": make_wrong_passwords(passwords),
        "refused_phc": make_refused_phc(passwords),
        "envelopes": make_envelopes(pairs[0]["private_pem"]),
        "refused_envelopes": make_refused_envelopes(),
        "key_pairs": pairs,
        # What a verifier of all the tokens below has to expect: without it,
        # "wrong aud" or "expired" would have no meaning.
        "jwt_expected": {"key": 0, "issuer": ISSUER, "audience": AUDIENCE, "now": NOW},
        "jwts": make_jwts(keys[0], pairs[0]),
        "refused_jwts": make_refused_jwts(keys[0], pairs[0], keys[1], pairs[1]),
        "hkdf": hkdf,
        "refresh_mac": refresh_mac,
        "rfc": rfc,
    }
    # The order of the keys is the order above. Escaping everything outside
    # ASCII keeps an editor from normalising the Unicode password.
    text = json.dumps(vectors, indent=2, ensure_ascii=True) + "\n"
    OUTPUT.write_text(text, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
