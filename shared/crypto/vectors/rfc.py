"""Published examples, each recomputed here, so that a typing error stops the script."""

import hashlib
import hmac

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from common import check
from refresh import hkdf_by_hand, hkdf_sha256
from tokens import thumbprint


def make_argon2id():
    example = {
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
        salt=bytes.fromhex(example["salt_hex"]),
        length=example["tag_length"],
        iterations=example["iterations"],
        lanes=example["parallelism"],
        memory_cost=example["memory"],
        ad=bytes.fromhex(example["associated_data_hex"]),
        secret=bytes.fromhex(example["secret_hex"]),
    ).derive(bytes.fromhex(example["password_hex"]))
    check(tag.hex() == example["tag_hex"], "RFC 9106 section 5.3")
    return example


def make_jwk_thumbprint():
    example = {
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
        thumbprint(example["kty"], example["n"], example["e"]) == example["thumbprint"],
        "RFC 7638 section 3.1",
    )
    return example


def make_pbkdf2():
    examples = [
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
    for entry in examples:
        output = hashlib.pbkdf2_hmac(
            "sha256",
            entry["password"].encode("ascii"),
            entry["salt"].encode("ascii"),
            entry["iterations"],
            entry["length"],
        )
        check(output.hex() == entry["output_hex"], entry["source"])
    return examples


def make_hkdf():
    examples = [
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
    for entry in examples:
        ikm, salt, info = (
            bytes.fromhex(entry[name]) for name in ("ikm_hex", "salt_hex", "info_hex")
        )
        prk, okm = hkdf_by_hand(ikm, salt, info, entry["length"])
        check(prk.hex() == entry["prk_hex"], entry["source"])
        check(okm.hex() == entry["okm_hex"], entry["source"])
        check(okm == hkdf_sha256(ikm, salt, info, entry["length"]), entry["source"])
    return examples


def make_hmac():
    examples = [
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
    for entry in examples:
        mac = hmac.digest(
            bytes.fromhex(entry["key_hex"]), bytes.fromhex(entry["data_hex"]), "sha256"
        )
        check(mac.hex() == entry["mac_hex"], entry["source"])
    return examples


def make_rfc():
    return {
        "argon2id": make_argon2id(),
        "jwk_thumbprint": make_jwk_thumbprint(),
        "pbkdf2_hmac_sha256": make_pbkdf2(),
        "hkdf_sha256": make_hkdf(),
        "hmac_sha256": make_hmac(),
    }
