"""Uses the examples of triggers as a reader would: the local server calls them, and everything here goes by HTTP.

What runs is a copy of examples/triggers, and its triggers.json with the TypeScript one, compiled, besides.

Usage: triggers.py TOOLS, where TOOLS is a folder for the copy.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
from pathlib import Path

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

from pool import EMAIL, PASSWORD, call, expect, running, signed_in

EXAMPLES = Path("examples/triggers")
TYPED = "node run.mjs typed/dist/pre-sign-up.mjs handler"
# The users of user-migration/users.csv.
BOB = {"email": "bob@example.com", "password": "the old pool had a diving board"}
CAROL = {"email": "carol@example.com", "password": "swimming lessons every thursday"}
# What anybody is asked for at first, with an account or without.
CHALLENGE = ("CUSTOM_CHALLENGE", {"medium": "EMAIL", "attempts": "3"})


def prepared(folder):
    """Copies the examples, compiles what has to be, and returns the file that names their commands."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    for command in (["npm", "ci", "--silent"], ["npm", "run", "--silent", "build"]):
        subprocess.run(command, cwd=folder / "typed", check=True)
    # All of it but the last step was compiled for the tests.
    subprocess.run(["cargo", "build", "--quiet", "--bin", "pre-token"], check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR") or "target").resolve()
    file = folder / "triggers.json"
    triggers = json.loads(file.read_text(encoding="utf-8"))
    # `cargo run` finds no workspace around a copy.
    triggers |= {"PreTokenGeneration": str(target / "debug" / "pre-token"), "PreSignUp": TYPED}
    file.write_text(json.dumps(triggers), encoding="utf-8")
    return file


def refusal(url, body):
    """The status and the problem that a request is refused with."""
    try:
        call(url, body)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    raise SystemExit(f"{url} does not refuse {body}")


def tier(answer):
    """The claim of a sign-in's access token that `pre-token` adds."""
    claims = answer["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "==")).get("tier")


def codes(url, email):
    """The codes that were mailed to an address by `custom-challenge`; the pool's own mails have other subjects."""
    mails = [mail for mail in call(f"{url}/_local/mail") if mail["to"] == email]
    return [re.search(r"\b\d{6}\b", mail["text"])[0] for mail in mails if mail["subject"] == "Your code to sign in"]


def check_sign_up(url):
    """PreSignUp refuses in its own words."""
    status, problem = refusal(f"{url}/register", {"email": "mallory@example.net", "password": PASSWORD})
    words = "PreSignUp failed with error addresses at example.net may not sign up here."
    refused = (status, problem["code"], problem["detail"])
    expect("the refusal of another domain", refused, (400, "trigger_refused", words))
    print("PreSignUp refuses an address of another domain, in its own words", flush=True)


def check_token(url):
    """Who is let in gets the claim."""
    expect("the tier", tier(signed_in(url)), "free")
    print("PreSignUp lets the others in, and PreTokenGeneration adds its claim", flush=True)


def begun(url, email):
    """Begins a sign-in by a code: the session."""
    answer = call(f"{url}/login", {"email": email, "flow": "custom"})
    expect(f"what {email} is asked for", (answer["challenge"], answer["parameters"]), CHALLENGE)
    return answer["session"]


def next_round(url, session):
    """Sends a wrong code: the session of the next round."""
    answer = call(f"{url}/login/challenge", {"session": session, "answer": "wrong"})
    expect("what follows a wrong code", answer["challenge"], "CUSTOM_CHALLENGE")
    return answer["session"]


def check_code(url):
    """A mailed code lets in, also after a wrong one."""
    session = begun(url, EMAIL)
    (code,) = codes(url, EMAIL)
    session = next_round(url, session)
    expect("the codes that were mailed by then", codes(url, EMAIL), [code])
    answer = call(f"{url}/login/challenge", {"session": session, "answer": code})
    expect("the tier", tier(answer), "free")
    print("A mailed code lets in after a wrong one, and was mailed once", flush=True)


def check_attempts(url):
    """The third wrong code is the last."""
    session = next_round(url, next_round(url, begun(url, EMAIL)))
    status, _ = refusal(f"{url}/login/challenge", {"session": session, "answer": "wrong"})
    expect("the status of the third wrong code", status, 401)
    print("Three wrong codes end the sign-in", flush=True)


def check_nobody(url):
    """Nobody learns who has an account."""
    begun(url, "nobody@example.com")
    expect("the codes for nobody", codes(url, "nobody@example.com"), [])
    print("Who has no account is asked the same, and gets no mail", flush=True)


def check_migration(url, users):
    """A user of the old system comes over once, with the right password."""
    status, problem = refusal(f"{url}/login", {**BOB, "password": PASSWORD})
    expect("the refusal of a wrong password", (status, problem["code"]), (401, "invalid_credentials"))
    expect("the tier of who comes over", tier(call(f"{url}/login", BOB)), "free")
    print("UserMigration takes a user over with the right password, and with no other", flush=True)
    users.write_text("email,name,password_hash\n", encoding="utf-8")
    expect("the tier of who came over", tier(call(f"{url}/login", BOB)), "free")
    print("Who came over needs the old system no more", flush=True)
    status, problem = refusal(f"{url}/login", CAROL)
    expect("the refusal of who did not", (status, problem["code"]), (401, "invalid_credentials"))
    print("Who did not come over in time is unknown", flush=True)


def main():
    file = prepared(Path(sys.argv[1]).resolve() / "triggers")
    with running("--triggers", str(file)) as url:
        check_sign_up(url)
        check_token(url)
        check_code(url)
        check_attempts(url)
        check_nobody(url)
        check_migration(url, file.parent / "user-migration" / "users.csv")


if __name__ == "__main__":
    main()
