"""UserMigration: users of an old system come over by signing in, each with the password that they have.

The old system is users.csv here. Its hashes are those of Werkzeug, which Flask's users have:
`werkzeug.security.generate_password_hash("the old pool had a diving board")` made Bob's.
"""

import csv
import hashlib
import hmac
from pathlib import Path

USERS = Path(__file__).with_name("users.csv")
# Whom nobody can be: no password has this hash.
NOBODY = {"password_hash": "scrypt:32768:8:1$nobody$"}


class NotMigrated(Exception):
    """The pool then answers as it does without this trigger."""


def handler(event, context):
    user = find(event["userName"])
    if event["triggerSource"] == "UserMigration_Authentication":
        # Somebody unknown costs one hash too, so that the time does not tell who has an account.
        if not is_password(event["request"]["password"], user["password_hash"]):
            raise NotMigrated("unknown user or wrong password")
        # The password that was right stays the user's.
        event["response"]["finalUserStatus"] = "CONFIRMED"
    elif event["triggerSource"] != "UserMigration_ForgotPassword" or user is NOBODY:
        raise NotMigrated("unknown user")
    # A confirmed address is what a password can be reset by. The old system had confirmed them all.
    attributes = {"email": user["email"], "email_verified": "true", "name": user["name"]}
    # Nobody is welcomed who only signs in.
    event["response"] |= {"userAttributes": attributes, "messageAction": "SUPPRESS"}
    return event


def find(email):
    """Who has this address. The file is read each time, so that nobody comes over who was just removed from it."""
    with USERS.open(encoding="utf-8", newline="") as file:
        users = {user["email"]: user for user in csv.DictReader(file)}
    return users.get(email.strip().lower(), NOBODY)


def is_password(password, stored):
    """Compares a password with `scrypt:N:R:P$SALT$HASH`, in a time that does not tell how much of it is right."""
    method, salt, expected = stored.split("$")
    n, r, p = map(int, method.removeprefix("scrypt:").split(":"))
    # OpenSSL refuses to use more than 32 MiB unless it is told to.
    options = {"n": n, "r": r, "p": p, "maxmem": 132 * n * r * p, "dklen": 64}
    actual = hashlib.scrypt(password.encode(), salt=salt.encode(), **options)
    return hmac.compare_digest(actual.hex(), expected)
