"""Makes encryption_sdk_message.json: messages made by the AWS Encryption SDK.

An argument names another file to write.

The library of AWS makes each message, with a data key, a message id and an
encryption context that are written down with it. Given the same, Freehold has
to make the same bytes. Before the file is written, the library also opens each
message, as a custom sender would, under the strictest commitment policy, and
refuses it with any one byte altered, and under another encryption context.

KMS is a stand-in with one data key, so nothing here asks AWS for anything.

This script is not a part of make_vectors.py because of what it needs:

    venv/bin/pip install -r requirements-encryption-sdk.txt
    venv/bin/python encryption_sdk_message.py
"""

import base64
import json
import logging
import secrets
import sys
from pathlib import Path
from unittest import mock

from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient, StrictAwsKmsMasterKeyProvider
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import Algorithm
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag

# Compiled copies of the modules below would lie in the source tree.
sys.dont_write_bytecode = True

from common import POOL, Refused, b64, check, check_refused

OUTPUT = Path(
    sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("encryption_sdk_message.json")
)
KEY_ARN = "arn:aws:kms:eu-west-1:111122223333:key/0198c0de-0000-7000-8000-000000000001"
OTHER_KEY_ARN = KEY_ARN[:-1] + "2"
COGNITO_CONTEXT = {"userpool-id": POOL}
SUITE = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
FRAME_LENGTH = 4096


def unb64(text):
    return base64.b64decode(text, validate=True)


class StandInKms(BaseClient):
    """A KMS with one data key. The library insists on a client of botocore.

    A careless one gives the data key for any blob and any encryption context:
    what is refused nevertheless, the message protects by itself.
    """

    def __init__(self, entry, careless=False):
        self.entry, self.careless = entry, careless

    def generate_data_key(self, **request):
        expected = {
            "KeyId": self.entry["key_arn"],
            "NumberOfBytes": 32,
            "EncryptionContext": self.entry["encryption_context"],
        }
        check(request == expected, "KMS is given the encryption context of the message")
        return self._answer(CiphertextBlob=unb64(self.entry["wrapped"]))

    def decrypt(self, **request):
        expected = {
            "KeyId": self.entry["key_arn"],
            "CiphertextBlob": unb64(self.entry["wrapped"]),
        }
        # The library leaves an empty encryption context out.
        if self.entry["encryption_context"]:
            expected["EncryptionContext"] = self.entry["encryption_context"]
        if request != expected and not self.careless:
            raise ClientError({"Error": {"Code": "InvalidCiphertextException"}}, "Decrypt")
        return self._answer()

    def _answer(self, **more):
        data_key = unb64(self.entry["data_key"])
        return {"Plaintext": data_key, "KeyId": self.entry["key_arn"], **more}


def with_library(entry, act, careless=False, key_arn=KEY_ARN):
    kms = StandInKms(entry, careless)
    with mock.patch.object(StrictAwsKmsMasterKeyProvider, "_client", lambda self, key_id: kms):
        policy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
        provider = StrictAwsKmsMasterKeyProvider(key_ids=[key_arn])
        return act(EncryptionSDKClient(commitment_policy=policy), provider)


def make_message(entry):
    message_id = unb64(entry["message_id"])

    def encrypt(client, provider):
        return client.encrypt(
            source=entry["plaintext"].encode("utf-8"),
            key_provider=provider,
            encryption_context=entry["encryption_context"],
            algorithm=SUITE,
            frame_length=FRAME_LENGTH,
        )

    name = "aws_encryption_sdk.internal.utils.message_id"
    with mock.patch(name, lambda size: message_id[:size]):
        message, header = with_library(entry, encrypt)
    check(header.message_id == message_id, "the message id")
    return message


def open_message(entry, message, **how):
    """Opens a message strictly and returns the plaintext."""
    try:
        plaintext, header = with_library(
            entry,
            lambda client, provider: client.decrypt(source=message, key_provider=provider),
            **how,
        )
    # An altered length makes the library read past the end or into other fields.
    except (AWSEncryptionSDKClientError, ClientError, InvalidTag, ValueError) as error:
        raise Refused(str(error)) from error
    check(header.algorithm is SUITE, "the algorithm suite")
    check(header.encryption_context == entry["encryption_context"], "the encryption context")
    return plaintext.decode("utf-8")


def make_entry(plaintext, encryption_context):
    entry = {
        "message_id": b64(secrets.token_bytes(32)),
        "data_key": b64(secrets.token_bytes(32)),
        # As long as what KMS gives for a data key of 32 bytes.
        "wrapped": b64(secrets.token_bytes(184)),
        "key_arn": KEY_ARN,
        "encryption_context": encryption_context,
        "plaintext": plaintext,
    }
    message = make_message(entry)
    check(open_message(entry, message) == plaintext, "the message opens")
    return {**entry, "message": b64(message)}


def check_refusals(entry):
    message = unb64(entry["message"])
    for careless in (False, True):
        for at in range(len(message)):
            altered = message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]
            check_refused(
                lambda: open_message(entry, altered, careless=careless), f"byte {at} altered"
            )
        check_refused(lambda: open_message(entry, message[:-1], careless=careless), "cut")
    check_refused(lambda: open_message(entry, message, key_arn=OTHER_KEY_ARN), "another key")
    other_data_key = {**entry, "data_key": b64(secrets.token_bytes(32))}
    check_refused(lambda: open_message(other_data_key, message), "another data key")
    # KMS binds the data key to the encryption context it was made with, and the
    # message itself is bound to the one it names.
    other_context = {**entry, "encryption_context": {"userpool-id": POOL + "2"}}
    check_refused(lambda: open_message(other_context, message), "another context, by KMS")
    renamed = message.replace(POOL.encode(), POOL[:-1].encode() + b"_")
    check(renamed != message and len(renamed) == len(message), "the context is renamed")
    for careless in (False, True):
        check_refused(
            lambda: open_message(entry, renamed, careless=careless), "another context, renamed"
        )


def main():
    # The library logs each refusal.
    logging.disable(logging.CRITICAL)
    cases = [
        ("123456", COGNITO_CONTEXT),
        # As Cognito hands over a temporary password.
        ("p&lt;Gr\u00fc\u00dfe&gt;, \u6c34, \U0001f511", COGNITO_CONTEXT),
        ("", {}),
        # The names are sorted by their bytes in UTF-8. By their units in UTF-16,
        # as some languages sort, the last two would change places.
        ("many", {"\U0001f511": "key", "\uff5e": "tilde", "a": "", "Z": "z", **COGNITO_CONTEXT}),
    ]
    entries = [make_entry(plaintext, context) for plaintext, context in cases]
    check_refusals(entries[0])
    text = json.dumps(entries, indent=2, ensure_ascii=True) + "\n"
    OUTPUT.write_text(text, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
