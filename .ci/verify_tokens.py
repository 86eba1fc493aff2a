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
from pathlib import Path

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

from pool import POOL, running, signed_in


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

    with running() as url:
        environment = {
            **os.environ,
            "FREEHOLD_PUBLIC_URL": url,
            "FREEHOLD_AUDIENCE": url,
            "FREEHOLD_POOL": POOL,
        }
        token = signed_in(url)["access_token"]
        check(["node", str(tools / "node" / "verify.mjs")], token, environment)
        check([sys.executable, str(tools / "verify.py")], token, environment)


if __name__ == "__main__":
    main()
