"""Runs the end-to-end cases on another DynamoDB than the one that they bring: ministack's."""

import sys
import tempfile
from pathlib import Path

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

import aws
import cases

# Fewer than these means that cases began to bring a database of their own.
FEWEST_CASES = 100


def main():
    with tempfile.TemporaryDirectory() as folder, aws.running(Path(folder), enforces_policies=False) as endpoint:
        cases.run_all(cases.compiled(), {"FREEHOLD_DYNAMODB": endpoint}, FEWEST_CASES, {})


if __name__ == "__main__":
    main()
