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

import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

# Compiled copies of the modules below would lie in the source tree.
sys.dont_write_bytecode = True

from envelopes import make_envelopes, make_refused_envelopes
from passwords import make_passwords, make_refused_phc, make_wrong_passwords
from refresh import make_refresh
from rfc import make_rfc
from tokens import AUDIENCE, ISSUER, NOW, key_pair_entry, make_jwts, make_refused_jwts

OUTPUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("vectors.json"))


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
        "refused_jwts": make_refused_jwts(keys[0], pairs[0], keys[1]),
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
