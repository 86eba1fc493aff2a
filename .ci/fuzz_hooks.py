"""What schemathesis cannot know: which addresses are free, and what a mail says.

Only examples, and the steps of chains of links, are touched. All other cases go out as they were generated.
"""

import functools
import re
import time
import uuid

import requests
import schemathesis
from pool import PASSWORD, call

registered = set()
passwords = {}


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
    """Adds what is in the mail alone, so that no link hands it on. An example gets a new user too."""
    if is_step(case):
        sent = sent_by(case)
        user = sent.get("user_id", sent.get("user"))
        if user in registered:
            answer(case, None, user, "verify-email")
    elif case.meta.phase.name == "examples":
        answer(case, *new_user(case.operation.base_url), "verify-email")


@schemathesis.hook("before_call").apply_to(operation_id=["resetPasswordPage", "resetPassword"])
def with_the_token_of_who_forgot(context, case, kwargs):
    """Gives an example a user of its own who forgot the password: nothing that an answer says leads there."""
    if case.meta.phase.name == "examples":
        url = case.operation.base_url
        email, user = new_user(url)
        verify(url, user)
        call(f"{url}/password/forgot", {"email": email})
        answer(case, email, user, "password/reset")


def is_step(case):
    """Whether a case is a step of a chain of links, and keeps to openapi.yaml."""
    return case.meta.phase.name == "stateful" and case.meta.generation.mode == "positive"


@schemathesis.hook("before_call").apply_to(
    operation_id=["changePassword", "changeEmail", "confirmEmail", "deleteAccount", "endOtherSessions", "endSession"]
)
def as_somebody_else(context, case, kwargs):
    """Sends what ends sessions, or guesses, as another user, so that it does not end or hold up what the other cases do."""
    headers = headers_of(case, kwargs)
    # What a check sends instead of a token of ours stays as it is.
    if (headers or {}).get("Authorization", "").startswith("Bearer ey"):
        url = case.operation.base_url
        email = verified_user(url)
        token = sign_in(url, email, passwords[email])
        headers["Authorization"] = f"Bearer {token}"
        if case.meta.phase.name in ("examples", "stateful") and "id" in (case.path_parameters or {}):
            sessions = call(f"{url}/me/sessions", bearer=token)["sessions"]
            case.path_parameters["id"] = sessions[0]["id"]


@schemathesis.hook("before_call").apply_to(
    operation_id=["confirmEmailPage", "confirmEmail", "undoEmailPage", "undoEmail", "keepAccountPage", "keepAccount"]
)
def with_the_token_of_who_leaves(context, case, kwargs):
    """Gives an example a user of its own who asked for another address, has it already, or asked to be deleted."""
    if case.meta.phase.name == "examples":
        url, path = case.operation.base_url, case.operation.path.strip("/")
        email, user = new_user(url)
        verify(url, user)
        token = sign_in(url, email, PASSWORD)
        if path == "account/keep":
            delete_account(url, token)
        else:
            call(f"{url}/me/email", {"new_email": free_address(), "current_password": PASSWORD}, token)
        if path == "email/undo":
            call(f"{url}/email/confirm", {"user_id": user, "token": mailed(url, user, "email/confirm")[0]})
        if "code" in sent_by(case):
            # The hook above has made it somebody else's.
            case.body["code"] = mailed(url, user, path)[1]
            headers_of(case, kwargs)["Authorization"] = f"Bearer {token}"
        else:
            answer(case, None, user, path)


@schemathesis.hook("after_call").apply_to(operation_id="changePassword")
def note_password(context, case, response):
    """Notes the password that the other user has from now on."""
    if response.status_code == 200:
        passwords[verified_user(case.operation.base_url)] = case.body["new_password"]


@schemathesis.hook("after_call").apply_to(operation_id="deleteAccount")
def forget_user(context, case, response):
    """Has the next case sent as yet another user, where this one is about to be deleted."""
    if response.status_code == 202:
        verified_user.cache_clear()


def headers_of(case, kwargs):
    """Where a case carries its headers."""
    return kwargs.get("headers") or case.headers


def answer(case, email, user, path):
    """Makes a case answer a user's mail: with its code, where an example shows that, or else as its link does."""
    token, code = mailed(case.operation.base_url, user, path)
    sent = sent_by(case)
    if email and "code" in sent:
        sent.update({"email": email, "code": code})
    else:
        for name in ("email", "code"):
            sent.pop(name, None)
        sent.update({"user_id" if case.media_type == "application/json" else "user": user, "token": token})


def sent_by(case):
    """Where a case carries its parameters."""
    return case.query if case.media_type is None else case.body


def new_user(url):
    """Signs somebody up: the address and the user's id."""
    email = free_address()
    user = call(f"{url}/register", {"email": email, "password": PASSWORD})["user_id"]
    registered.add(user)
    return email, user


def verify(url, user):
    """Shows that a user's address is theirs."""
    call(f"{url}/verify-email", {"user_id": user, "token": mailed(url, user, "verify-email")[0]})


def sign_in(url, email, password):
    """Signs somebody in: the access token."""
    return call(f"{url}/login", {"email": email, "password": password})["access_token"]


def delete_account(url, token):
    """Asks that the account of an access token be deleted."""
    headers = {"authorization": f"Bearer {token}"}
    answered = requests.delete(f"{url}/me", json={"current_password": PASSWORD}, headers=headers, timeout=30)
    answered.raise_for_status()


@functools.cache
def verified_user(url):
    """One other user who can sign in: the address."""
    email, user = new_user(url)
    verify(url, user)
    passwords[email] = PASSWORD
    return email


def free_address():
    """An address that nobody has."""
    return f"{uuid.uuid4()}@example.com"


def mailed(url, user, path):
    """The token and the code, if any, in the newest mail to a user whose link leads to a path, once it has been sent."""
    for _ in range(100):
        for mail in call(f"{url}/_local/mail"):
            if found := re.search(rf"/{path}\?user={user}&token=(\S+)((?s:.*?)\n([0-9]{{8}})\n)?", mail["text"]):
                return found[1], found[3]
        time.sleep(0.1)
    raise RuntimeError("No mail came.")
