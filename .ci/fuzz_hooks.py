"""What schemathesis cannot know: which addresses are free, and what a mail says.

Only examples, and the steps of chains of links, are touched. All other cases go out as they were generated.
"""

import re
import time
import uuid

import schemathesis
from pool import PASSWORD, call

registered = set()


@schemathesis.hook("before_call").apply_to(operation_id="register")
def with_a_free_address(context, case, kwargs):
    """Gives each chain its own user: schemathesis repeats chains, and gives up where one is answered otherwise."""
    if is_step(case):
        case.body["email"] = free_address()


@schemathesis.hook("after_call").apply_to(operation_id="register")
def note_user(context, case, response):
    """Notes who was registered, since nobody else is sent a mail."""
    if response.status_code == 201:
        registered.add(response.json()["user_id"])


@schemathesis.hook("before_call").apply_to(operation_id=["verifyEmailPage", "verifyEmail", "cancelRegistration"])
def with_the_mailed_token(context, case, kwargs):
    """Adds the token, which is in the mail alone, so that no link hands it on. An example gets a new user too."""
    url = case.operation.base_url
    sent = case.query if case.media_type is None else case.body
    if is_step(case):
        user = sent.get("user_id", sent.get("user"))
    elif case.meta.phase.name == "examples":
        user = new_user(url)
    else:
        return
    if user in registered:
        name = "user_id" if case.media_type == "application/json" else "user"
        sent.update({name: user, "token": mailed_token(url, user)})


def is_step(case):
    """Whether a case is a step of a chain of links, and keeps to openapi.yaml."""
    return case.meta.phase.name == "stateful" and case.meta.generation.mode == "positive"


def new_user(url):
    """Signs somebody up: the user's id."""
    user = call(f"{url}/register", {"email": free_address(), "password": PASSWORD})["user_id"]
    registered.add(user)
    return user


def free_address():
    """An address that nobody has."""
    return f"{uuid.uuid4()}@example.com"


def mailed_token(url, user):
    """The token in the newest mail to a user, once the mail has been sent."""
    for _ in range(100):
        for mail in call(f"{url}/_local/mail"):
            if found := re.search(rf"user={user}&token=(\S+)", mail["text"]):
                return found[1]
        time.sleep(0.1)
    raise RuntimeError("No mail came.")
