"""The end-to-end cases, run against a pool that is not in their own process."""

import json
import os
import re
import subprocess

# What these modules hold is not about the pool that the variables name.
ELSEWHERE = ("compiled_functions::", "crashes::", "house::", "local_server::", "template::")


def compiled():
    """The program that cargo compiles the cases to."""
    command = ["cargo", "test", "--test", "end_to_end", "--no-run", "--message-format=json"]
    messages = map(json.loads, subprocess.check_output(command, text=True).splitlines())
    (program,) = (message["executable"] for message in messages if message.get("executable"))
    return program


def run(program, variables, *arguments):
    """Runs cases where these variables say, besides this process's own: how they ended, and what they printed."""
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run([program, *arguments], env={**os.environ, **variables}, **output)


def run_all(program, variables, fewest, otherwise=(), modules=(), at_a_time=None):
    """Runs every case, or those of some modules, but for what is otherwise here, and checks that enough were not skipped.

    They run so many at a time, or one on each processor.
    """
    otherwise = dict(otherwise)
    listed = subprocess.check_output([program, "--list"], text=True)
    for case, reason in otherwise.items():
        if f"{case}: test\n" not in listed:
            raise SystemExit(f"{case} is no case.")
        print(f"not run: {case}, since {reason}")
    # What a case prints comes after it in one piece, where `--nocapture` would mix it with other cases' lines.
    options = [*modules, "--show-output", *(f"--skip={name}" for name in (*ELSEWHERE, *otherwise))]
    if at_a_time:
        options.append(f"--test-threads={at_a_time}")
    result = run(program, variables, *options)
    if result.returncode != 0:
        raise SystemExit(f"{result.stdout}\nCases failed.")
    passed = re.findall(r"^test (\S+) \.\.\. ok$", result.stdout, re.MULTILINE)
    skipped = re.findall(r"^---- (\S+) stdout ----\nskipped: ", result.stdout, re.MULTILINE)
    ran = len(set(passed) - set(skipped))
    print(f"{ran} end-to-end cases passed, {len(skipped)} need what is not here", flush=True)
    if ran < fewest:
        raise SystemExit(f"Fewer than {fewest} ran: cases began to need more than they did.")
