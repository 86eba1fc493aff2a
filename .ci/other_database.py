"""Runs the cases that a database decides on another DynamoDB than the one that they bring: ministack's."""

import sys
import tempfile
from pathlib import Path

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

import aws
import cases

# What depends on how a database behaves: conditions, transactions, races and lost answers.
MODULES = ("cancel_registration::", "faults::", "refresh::", "register::", "resend_", "send_mail::", "verify_email::")
# Fewer than these means that cases began to bring a database of their own.
FEWEST_CASES = 50


def main():
    with tempfile.TemporaryDirectory() as folder, aws.running(Path(folder), enforces_policies=False) as endpoint:
        cases.run_all(cases.compiled(), {"FREEHOLD_DYNAMODB": endpoint}, FEWEST_CASES, modules=MODULES)


if __name__ == "__main__":
    main()
