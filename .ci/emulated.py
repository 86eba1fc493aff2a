"""Runs each compiled release function under AWS's emulator of Lambda, with its example in events/.

The emulator, aws-lambda-rie, comes with the SAM CLI. Every function is given its event twice, so that the second one
meets a warm process. The answers have to be what API Gateway and Lambda's event sources expect, and the log may hold
nothing of the event.
"""

import importlib.resources
import json
import platform
import signal
import sys
import tempfile
import urllib.request
from pathlib import Path

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

from pool import bootstraps, expect, free_port, process, services, wait_for

# What a function of the API answers to its event, the first time and the second. What the events show was never given
# out by this pool.
STATUSES = {
    "cancel-registration": (400, 400),
    "change-email": (401, 401),
    "change-password": (401, 401),
    "delete-account": (401, 401),
    "forgot-password": (202, 202),
    "issuer": (404, 404),
    "login": (403, 403),
    "logout": (200, 200),
    "me": (401, 401),
    "refresh": (401, 401),
    "register": (201, 409),
    "resend-verification": (202, 202),
    "reset-password": (400, 400),
    "sessions": (401, 401),
    "verify-email": (400, 400),
}
# What the functions that are not behind the API answer.
OTHERS = {
    "authorizer": {"isAuthorized": False, "context": {}},
    "erase-accounts": {"erased": 0},
    "send-mail": {"batchItemFailures": []},
}
# It comes first, since `login` refuses an address only while it is signed up and not verified.
FIRST = "register"
# The functions that take the cookie away, and how they do it.
SIGN_OUT = ("logout", "refresh")
NO_COOKIE = "__Host-refresh_token=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
# What the events hold and no log line may.
SECRETS = ("alice", "correct horse", "another horse", "fh_rt_", "fh_ev_", "fh_pr_", "Bearer", "203.0.113.7")


def emulator():
    """The emulator for this machine's processor."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return importlib.resources.files("samcli.local.rapid") / f"aws-lambda-rie-{machine}"


def invoke(port, event):
    """What a function answers to an event."""
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with urllib.request.urlopen(url, event, timeout=30) as response:
        return json.load(response)


def answers(bootstrap, event, variables):
    """What one process of a function answers to its event and to the same again, and all that it logged."""
    port = free_port()
    command = [emulator(), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{free_port()}", bootstrap]
    with tempfile.TemporaryFile() as log:
        with process(command, env=variables, stdout=log, stderr=log) as program:
            wait_for(port, program)
            try:
                answered = [invoke(port, event) for _ in range(2)]
            except OSError as error:
                raise SystemExit(f"{bootstrap.parent.name} does not answer its event: {error}") from error
        log.seek(0)
        return answered, log.read().decode("utf-8")


def check_response(function, response, status):
    """Checks an answer in the gateway's payload format 2.0."""
    expect(f"the status of {function}", response.get("statusCode"), status)
    expect(f"how {function} spells its body", type(response["body"]), str)
    expect(f"whether the body of {function} is base64", response["isBase64Encoded"], False)
    # Format 2.0 has one value for each header, and the cookies in a list of their own.
    expect(f"the cookies of {function}", response["cookies"], [NO_COOKIE] if function in SIGN_OUT else [])
    expect(f"the kinds of header of {function}", {type(value) for value in response["headers"].values()}, {str})
    expect(f"whether {function} says what its body is", "content-type" in response["headers"], True)


def check_log(function, log):
    """Checks that the log of two invocations holds nothing of the event."""
    expect(f"the invocations in the log of {function}", log.count("END RequestId: "), 2)
    expect(f"secrets in the log of {function}", [secret for secret in SECRETS if secret in log], [])


def check(function, bootstrap, event, variables):
    """Runs a function, and checks its answers and its log."""
    answered, log = answers(bootstrap, event, variables)
    if function in OTHERS:
        expect(f"the answers of {function}", answered, [OTHERS[function]] * 2)
    else:
        for response, status in zip(answered, STATUSES[function], strict=True):
            check_response(function, response, status)
    check_log(function, log)
    print(f"{function:20}  {STATUSES.get(function) or OTHERS[function]}", flush=True)


def main():
    # Whoever ends this script ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Told to stop."))
    functions = bootstraps()
    events = {path.stem: path.read_bytes() for path in Path("events").iterdir()}
    expect("the functions that have an event", sorted(events), sorted(functions))
    expect("the functions that something is expected of", sorted({**STATUSES, **OTHERS}), sorted(functions))
    with services() as (_, variables):
        for function in sorted(functions, key=lambda function: function != FIRST):
            check(function, functions[function], events[function], variables)


if __name__ == "__main__":
    main()
