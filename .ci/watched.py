"""Runs the end-to-end cases against the compiled release functions, behind the gateway of `cargo lambda watch`.

Left to itself, `cargo lambda watch` would compile every function once more. Here it runs its gateway, with the routes
of Cargo.toml, and its Runtime API alone; this script starts what `cargo lambda build --release` left, one process for
each function. A case that needs what this stage does not have is skipped, and enough of them have to be left.
"""

import contextlib
import signal
import sys
import time

# Compiled copies of the module below would lie in the source tree.
sys.dont_write_bytecode = True

import cases
from pool import bootstraps, free_port, process, services, wait_for

# Fewer than these means that cases began to need what this stage does not have.
FEWEST_CASES = 40
# The cases about what API Gateway does and this gateway does not.
OTHERWISE_HERE = {
    "me::a_second_header_is_not_taken": "of two headers with one name it passes on one, instead of both joined",
    "issuer::a_path_without_a_route_is_not_found": "where no route leads it waits for a function, instead of answering 404",
}


@contextlib.contextmanager
def gateway():
    """Runs the gateway and the Runtime API of `cargo lambda watch`: their port."""
    port = free_port()
    command = ["cargo", "lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1"]
    # CORS would be for every origin, where a stage has none unless it is asked for.
    command += ["--invoke-port", str(port), "--disable-cors"]
    with process(command) as program:
        wait_for(port, program)
        yield port


@contextlib.contextmanager
def functions(port, variables):
    """Runs each function as a process of its own, which fetches its invocations at this port."""
    with contextlib.ExitStack() as stack:
        programs = {}
        for function, bootstrap in bootstraps().items():
            address = {"AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt/{function}"}
            names = {"AWS_LAMBDA_FUNCTION_NAME": function, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST"}
            size = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}
            # They have these variables and no others, as in Lambda.
            program = process([bootstrap], env={**variables, **address, **names, **size})
            programs[function] = stack.enter_context(program)
        yield programs


def check_running(programs):
    """Checks that no function ended, since the gateway lets whoever calls such a one wait."""
    ended = [function for function, program in programs.items() if program.poll() is not None]
    if ended:
        raise SystemExit(f"Ended by themselves: {', '.join(ended)}")


def stage(port, mailbox, variables):
    """The variables by which the cases find the gateway, the mailbox and the table."""
    aws = {name: value for name, value in variables.items() if name.startswith("AWS_")}
    return {
        **aws,
        "FREEHOLD_URL": f"http://127.0.0.1:{port}",
        "FREEHOLD_PUBLIC_URL": variables["PUBLIC_URL"],
        "FREEHOLD_POOL": variables["POOL_ID"],
        "FREEHOLD_TABLE": variables["TABLE_NAME"],
        "FREEHOLD_MAIL": mailbox,
    }


def main():
    # Whoever ends this script ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Told to stop."))
    program = cases.compiled()
    with services() as (mailbox, variables), gateway() as port, functions(port, variables) as programs:
        # A function that cannot start ends at once.
        time.sleep(1)
        check_running(programs)
        cases.run_all(program, stage(port, mailbox, variables), FEWEST_CASES, OTHERWISE_HERE)
        check_running(programs)


if __name__ == "__main__":
    main()
