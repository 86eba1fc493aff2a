"""Lets other people's libraries judge a real access token.

It starts the local server, signs a user up and in, and runs the examples of
verifying a token in Node, Python and Rust. Each must accept the token and
refuse an altered one.

Usage: verify_tokens.py TOOLS, where TOOLS/node holds node_modules.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

from pool import POOL, running, signed_in

EXAMPLES = Path("examples/verify")


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
    # Node looks for packages beside the file that imports them.
    node = Path(sys.argv[1]) / "node" / "verify.mjs"
    shutil.copyfile(EXAMPLES / "verify.mjs", node)
    with running() as url:
        variables = {"FREEHOLD_PUBLIC_URL": url, "FREEHOLD_AUDIENCE": url, "FREEHOLD_POOL": POOL}
        environment = {**os.environ, **variables}
        token = signed_in(url)["access_token"]
        check(["node", str(node)], token, environment)
        check([sys.executable, str(EXAMPLES / "verify.py")], token, environment)
        check(["cargo", "run", "--quiet", "--example", "verify", "--"], token, environment)


if __name__ == "__main__":
    main()
