"""A pool on this machine, for the checks of the gate that are not written in Rust."""

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

EMAIL = "reader@example.com"
PASSWORD = "correct horse battery staple"
POOL = "us-east-1_Freehold1"


@contextlib.contextmanager
def process(command, **options):
    """Runs a program beside this script, and ends it whatever happens."""
    program = subprocess.Popen(command, **options)
    try:
        yield program
    finally:
        program.terminate()
        try:
            program.wait(30)
        except subprocess.TimeoutExpired:
            program.kill()


@contextlib.contextmanager
def running(*options, stderr=None):
    """Runs the local server on a free port: its address. Each request is a line on `stderr`."""
    # `cargo dev` chooses the features of one package alone, and would compile much of what the tests did again.
    command = ["cargo", "run", "--quiet", "--bin", "local", "--", "--port", "0", *options]
    # `cargo run` becomes the program that it runs, so this ends the server and not cargo alone.
    with process(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as server:
        address = next((line.split()[1] for line in server.stdout if line.startswith("Freehold ")), None)
        if not address:
            raise SystemExit("The local server did not start.")
        yield address


@contextlib.contextmanager
def services():
    """Runs what the functions call, without the functions: the mailbox's address, and the functions' variables."""
    with tempfile.TemporaryDirectory() as folder, running("--services-only", "--data", folder) as url:
        text = (Path(folder) / "functions.env").read_text(encoding="utf-8")
        yield f"{url}/_local/mail", dict(re.findall(r"^(\w+)='(.*)'$", text, re.MULTILINE))


def bootstraps():
    """Every function of functions/ by its name, as `cargo lambda build --release` compiled it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or "target").resolve()
    functions = sorted(folder.name for folder in Path("functions").iterdir())
    compiled = {function: target / "lambda" / function / "bootstrap" for function in functions}
    missing = [str(bootstrap) for bootstrap in compiled.values() if not bootstrap.is_file()]
    if missing:
        raise SystemExit(f"Not compiled yet: {', '.join(missing)}")
    return compiled


def expect(what, actual, expected):
    """Ends the script where something is not as it has to be."""
    if actual != expected:
        raise SystemExit(f"{what}: {actual!r} instead of {expected!r}")


def free_port():
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port, program):
    """Waits until a program listens at its port."""
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if program.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"{program.args[0]} does not listen at port {port}.")


def call(url, body=None, bearer=None):
    """Sends a request, a POST where there is a body, and returns the answer's JSON."""
    headers = {"accept": "application/json", "content-type": "application/json"}
    if bearer:
        headers["authorization"] = f"Bearer {bearer}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def mailed_link(url, email):
    """What the link in the newest mail to an address carries, once the mail has been sent."""
    for _ in range(100):
        for mail in call(f"{url}/_local/mail"):
            if mail["to"] == email:
                return link_in(mail)
        time.sleep(0.1)
    raise SystemExit("No mail came.")


def link_in(mail):
    """What a mail's link carries."""
    link = re.search(r"https?://\S+", mail["text"])[0]
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))


def signed_up(url, email=EMAIL, password=PASSWORD):
    """Signs up as a person would, and returns what the mailed link carries."""
    call(f"{url}/register", {"email": email, "password": password})
    return mailed_link(url, email)


def signed_in(url, email=EMAIL, password=PASSWORD):
    """Signs up, follows the mailed link, and returns what the sign-in answers."""
    link = signed_up(url, email, password)
    call(f"{url}/verify-email", {"user_id": link["user"], "token": link["token"]})
    return call(f"{url}/login", {"email": email, "password": password, "token_in": "body"})
