"""Sends a running pool what openapi.yaml allows and what it does not, and holds the answers against it.

It starts the local server, signs up the user of the contract's examples, and
runs schemathesis as .ci/schemathesis.toml says. Then it counts how often each
operation answered with success: a run in which too few of them did has tested
little but refusals, and fails.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

import yaml
from pool import running, signed_in

CI = Path(__file__).resolve().parent
CONTRACT = CI.parent / "openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete")
# The share of operations that has to be exceeded.
ENOUGH = 0.9


def fuzz(url, folder):
    """Runs schemathesis in a folder of its own: whether it found nothing, and the exchanges that it reports."""
    report = Path(folder) / "exchanges.har"
    command = ["schemathesis", "--config-file", CI / "schemathesis.toml", "run", CONTRACT, "--url", url]
    command += ["--no-color", "--report", "har", "--report-har-path", report]
    environment = {**os.environ, "PYTHONPATH": str(CI), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(command, cwd=folder, env=environment)
    if not report.exists():
        raise SystemExit("Schemathesis did not run.")
    exchanges = json.loads(report.read_text(encoding="utf-8"))["log"]["entries"]
    return result.returncode == 0, exchanges


def operations():
    """Every operation of the contract, and the pattern of the requests to it."""
    paths = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["paths"]
    names = [f"{method.upper()} {path}" for path, item in paths.items() for method in item if method in METHODS]
    return {name: re.compile(re.sub(r"\{\w+\}", "[^/]+", name)) for name in names}


def successes(url, exchanges):
    """How often each operation answered with a 2xx."""
    patterns = operations()
    counts = collections.Counter(dict.fromkeys(patterns, 0))
    for exchange in exchanges:
        request, status = exchange["request"], exchange["response"]["status"]
        sent = f"{request['method']} {request['url'].removeprefix(url).partition('?')[0]}"
        if 200 <= status < 300:
            counts.update(name for name, pattern in patterns.items() if pattern.fullmatch(sent))
    return counts


def main():
    with running(stderr=subprocess.DEVNULL) as url, tempfile.TemporaryDirectory() as folder:
        # The one is guessed at, and has to pause; as the other the cases sign in that need a token.
        signed_in(url, "alice@example.com")
        signed_in(url, "carol@example.com")
        passed, exchanges = fuzz(url, folder)
        counts = successes(url, exchanges)
    for name, count in counts.items():
        print(f"{count:6} x 2xx  {name}")
    share = sum(count > 0 for count in counts.values()) / len(counts)
    print(f"{share:.0%} of the operations answered with success at least once.")
    if not passed or share <= ENOUGH:
        raise SystemExit(f"Schemathesis has to find nothing, and more than {ENOUGH:.0%} of the operations to succeed.")


if __name__ == "__main__":
    main()
