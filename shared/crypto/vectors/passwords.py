"""Password hashes, made by argon2-cffi."""

import re
import unicodedata

import argon2

from common import Refused, check, check_refused

# A stored hash chooses its own cost, so a forged one could exhaust the server.
# These limits have to be applied before any hashing starts.
MAX_MEMORY = 262144
MAX_ITERATIONS = 10
MAX_LANES = 16

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
    if not 8 * lanes <= memory <= MAX_MEMORY:
        raise Refused("the memory is out of range")
    if not 1 <= iterations <= MAX_ITERATIONS:
        raise Refused("the iterations are out of range")
    if not 1 <= lanes <= MAX_LANES:
        raise Refused("the lanes are out of range")
    # One character left over after groups of four cannot encode a byte.
    if len(match[4]) % 4 == 1 or len(match[5]) % 4 == 1:
        raise Refused("the base64 is cut")
    return memory, iterations


def hash_password(password, memory, iterations, lanes):
    return argon2.PasswordHasher(
        time_cost=iterations,
        memory_cost=memory,
        parallelism=lanes,
        hash_len=32,
        salt_len=16,
        type=argon2.Type.ID,
    ).hash(password)


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
        passwords.append({"password": password, "phc": phc, "outdated": memory < 65536})
    return passwords


def make_wrong_passwords(passwords):
    password, phc = passwords[0]["password"], passwords[0]["phc"]
    # The first letter of the hash changes and the last stays, because the last
    # one carries padding bits, and a change there could make the base64 invalid
    # where we want a valid hash of something else.
    head, tail = phc.rsplit("$", 1)
    other_hash = head + "$" + ("B" if tail[0] == "A" else "A") + tail[1:]
    wrong = [
        ("Correct horse battery staple", phc),
        ("correct horse battery staple ", phc),
        (password, passwords[1]["phc"]),
        (password, other_hash),
    ]
    for password, phc in wrong:
        read_phc(phc)
        check(not password_matches(password, phc), f"{phc} does not verify")
    return [{"password": password, "phc": phc} for password, phc in wrong]


def make_refused_phc(passwords):
    valid = passwords[0]["phc"]
    parameters = "m=65536,t=1,p=1"
    check(f"${parameters}$" in valid, "the first hash has the parameters we rewrite")
    without_hash, hash_text = valid.rsplit("$", 1)
    without_salt = without_hash.rsplit("$", 1)[0]
    check(len(hash_text) == 43, "a 32-byte hash has 43 letters")

    other_parameters = [
        ("memory one over the limit", "m=262145,t=1,p=1"),
        ("memory far over the limit", "m=4294967295,t=1,p=1"),
        # A reader that wraps at 32 bits would see 65536 here.
        ("memory beyond 32 bits", "m=4295032832,t=1,p=1"),
        ("memory below eight blocks a lane", "m=31,t=1,p=4"),
        ("memory zero", "m=0,t=1,p=1"),
        ("memory negative", "m=-65536,t=1,p=1"),
        ("iterations one over the limit", "m=65536,t=11,p=1"),
        ("iterations zero", "m=65536,t=0,p=1"),
        ("lanes one over the limit", "m=65536,t=1,p=17"),
        ("lanes zero", "m=65536,t=1,p=0"),
    ]
    refused = [(why, valid.replace(parameters, other)) for why, other in other_parameters]
    refused += [
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
        ("a bcrypt string", "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"),
    ]
    for why, phc in refused:
        check(phc != valid, f"changed: {why}")
        check_refused(lambda: read_phc(phc), f"hash, {why}")
    return [{"why": why, "phc": phc} for why, phc in refused]
