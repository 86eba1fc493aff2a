"""Lets other people's libraries judge a real access token.

It starts the local server, signs a user up and in, and runs the README's own
examples of verifying a token: the first ```js and the first ```python block
that the heading about verifying holds. Each must accept the token and refuse
an altered one.

Usage: verify_tokens.py TOOLS, where TOOLS/node holds node_modules.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

EMAIL = "reader@example.com"
PASSWORD = "correct horse battery staple"


def call(url, body=None):
    """Sends a request, a POST where there is a body, and returns the answer's JSON."""
    headers = {"accept": "application/json", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def mailed_link(url):
    """The link of the only mail, once it has been sent."""
    for _ in range(100):
        if mails := call(f"{url}/_local/mail"):
            return re.search(r"https?://\S+", mails[0]["text"])[0]
        time.sleep(0.1)
    raise SystemExit("No mail came.")


def signed_in(url):
    """Signs up as a person would, and returns the access token."""
    account = {"email": EMAIL, "password": PASSWORD}
    call(f"{url}/register", account)
    link = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(mailed_link(url)).query))
    call(f"{url}/verify-email", {"user_id": link["user"], "token": link["token"]})
    return call(f"{url}/login", {**account, "token_in": "body"})["access_token"]


def example(language):
    """The README's example in a language."""
    readme = Path("README.md").read_text(encoding="utf-8")
    section = re.search(r"^## Verifying .*?(?=^## )", readme, re.MULTILINE | re.DOTALL)[0]
    return re.search(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[1]


def check(command, token, environment):
    """Runs an example, which has to accept the token and refuse the altered one."""
    claims = json.loads(subprocess.check_output([*command, token], env=environment))
    print(f"{command[0]} accepts the token of {claims['sub']}", flush=True)
    # The first letter of the signature changes: unlike the last one it is six whole bits, so it stays valid base64.
    signed, signature = token.rsplit(".", 1)
    altered = f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    refused = subprocess.run([*command, altered], env=environment, capture_output=True, text=True)
    if refused.returncode == 0 or "refused: " not in refused.stderr:
        raise SystemExit(f"{command[0]} did not refuse an altered token: {refused}")
    print(f"{command[0]} refuses an altered one: {refused.stderr.strip()}", flush=True)


def main():
    tools = Path(sys.argv[1])
    (tools / "node" / "verify.mjs").write_text(example("js"), encoding="utf-8")
    (tools / "verify.py").write_text(example("python"), encoding="utf-8")

    # `cargo dev` chooses the features of one package alone, and would compile much of what the tests did again.
    command = ["cargo", "run", "--bin", "local", "--", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = next(line.split()[1] for line in server.stdout if line.startswith("Freehold "))
        environment = {
            **os.environ,
            "FREEHOLD_PUBLIC_URL": url,
            "FREEHOLD_AUDIENCE": url,
            "FREEHOLD_POOL": "us-east-1_Freehold1",
        }
        token = signed_in(url)
        check(["node", str(tools / "node" / "verify.mjs")], token, environment)
        check([sys.executable, str(tools / "verify.py")], token, environment)
    finally:
        # `cargo run` becomes the program that it runs, so this ends the server and not cargo alone.
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    main()
