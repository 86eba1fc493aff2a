"""Goes through the README's first session as a reader would: each of its commands, in the same shell, on the same port."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

from pool import mailed_link, process

URL = "http://127.0.0.1:3000"


def commands():
    """The blocks of commands below the heading about a first session."""
    readme = Path("README.md").read_text(encoding="utf-8")
    section = re.search(r"^## A first session\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)[1]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    if not blocks:
        raise SystemExit("The README has no first session.")
    return blocks


def main():
    command = ["cargo", "run", "--quiet", "--bin", "local"]
    with tempfile.TemporaryDirectory() as folder, process(command, stdout=subprocess.PIPE, text=True) as server:
        next(line for line in server.stdout if URL in line)
        sign_up, *rest = commands()
        # One shell for all, since the commands hand variables and a file of cookies on.
        shell = subprocess.Popen(["bash", "-e"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        shell.stdin.write(sign_up)
        shell.stdin.flush()
        mailed_link(URL, "alice@example.com")
        printed, _ = shell.communicate("\n".join(rest))
    print(printed, flush=True)
    statuses = re.findall(r"HTTP/1\.1 (\d+)", printed)
    # Signing up, confirming, signing in, who is signed in, signing out; the refresh prints nothing.
    if shell.returncode != 0 or statuses != ["201", "200", "200", "200", "200"]:
        raise SystemExit(f"The README's first session ends with {shell.returncode} and {statuses}.")


if __name__ == "__main__":
    main()
