"""Deploys the templates onto an AWS on this machine that enforces IAM policies, and tries there what a stage must hold.

`sam deploy` is run as the README says. The end-to-end cases then go through the deployed functions, each under its own
role, mail goes through SES, another stack is let in by the authorizer, and taking any one action out of a policy has to
make a named case fail. What the imitation does not do is printed with what was done instead.
"""

import contextlib
import functools
import sys
import tempfile
from pathlib import Path

# Compiled copies of the modules below would lie in the source tree.
sys.dont_write_bytecode = True

import boto3

import aws
import cases
import rights
from pool import expect
from stage import Stage

# The origin that the cases about CORS use.
APP = "https://app.example"
# Fewer than these means that cases began to need what a stage does not have.
FEWEST_CASES = 45


def variables(stage, mailbox):
    """The variables by which the cases find a stage."""
    return {
        "FREEHOLD_URL": stage.url,
        "FREEHOLD_PUBLIC_URL": stage.outputs["ApiUrl"],
        "FREEHOLD_POOL": stage.outputs["PoolId"],
        "FREEHOLD_TABLE": stage.outputs["TableName"],
        "FREEHOLD_ORIGIN": APP,
        "FREEHOLD_MAIL": mailbox,
    }


def check_example(stage):
    """Another stack's API lets in who is signed in, and nobody else."""
    authorizer = stage.outputs["AuthorizerArn"]
    options = ["--template", "examples/protected-api.yaml", "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
    example = Stage.deploy("protected-api", *options, "--parameter-overrides", f"AuthorizerArn={authorizer}")
    user, token = stage.signed_in()
    hello = functools.partial(example.call, "GET", "/hello")
    expect("no token", hello()[0], 401)
    expect("a token that is none", hello(bearer="junk")[0], 403)
    expect("a signed-in user", hello(bearer=token), (200, {"hello": user, "roles": ["user"]}))
    expect("signing out", stage.call("POST", "/logout", bearer=token)[0], 200)
    expect("a signed-out user", hello(bearer=token)[0], 403)
    print("examples/protected-api.yaml lets in who is signed in, and nobody else", flush=True)
    return example


def check_rotation(stage):
    """Whoever is signed in stays so while the application secret is rotated, in warm functions and in cold ones."""
    session = stage.session()
    stage.rotate_secret()
    for _ in range(2):
        status, answer = stage.call("POST", "/refresh", {"refresh_token": session})
        expect("a session from before the rotation", status, 200)
        session = answer["refresh_token"]
        stage.recycle("Refresh")
    print("a session outlives the rotation of the application secret", flush=True)


def check_domain(stage):
    """An update moves the API to a domain of its own, and users and pool stay."""
    before = stage.outputs
    email, _ = stage.user()
    certificate, zone = stage.certificate_and_zone("example.com", "auth.example.com")
    domain = ["DomainName=auth.example.com", f"CertificateArn={certificate}", f"HostedZoneId={zone}"]
    moved = deploy(*domain)
    expect("the address", moved.outputs["ApiUrl"], "https://auth.example.com")
    kept = ["PoolId", "TableName", "ApplicationSecretArn"]
    expect("what must not change", [moved.outputs[name] for name in kept], [before[name] for name in kept])
    moved.settle(APP, quiet=True)
    token = moved.session(email, "access_token")
    status, answer = moved.call("GET", "/me", bearer=token, host="auth.example.com")
    expect("the user behind the domain", (status, answer.get("email")), (200, email))
    claims = moved.claims(token)
    expect("the issuer", claims["iss"], f"{moved.outputs['IssuerBase']}{claims['sub']}")
    expect("the issuer's base", moved.outputs["IssuerBase"], f"https://auth.example.com/{before['PoolId']}/users/")
    expect("the domain's record", moved.record(zone, "auth.example.com."), moved.outputs["DomainTarget"])
    print("a custom domain is the public URL, and the users are the same", flush=True)


def check_deletion(stage):
    """Deleting a stage leaves the table and the secret."""
    stage.delete("--config-env", "dev")
    boto3.client("dynamodb").describe_table(TableName=stage.outputs["TableName"])
    boto3.client("secretsmanager").describe_secret(SecretId=stage.outputs["ApplicationSecretArn"])
    print("sam delete leaves the table and the secret", flush=True)


def deploy(*parameters):
    """Deploys the template with the `dev` settings, or updates the stage with these parameters."""
    options = ["--parameter-overrides", *parameters] if parameters else []
    return Stage.deploy("freehold-dev", "--config-env", "dev", *options)


def main():
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        endpoint = stack.enter_context(aws.running(folder))
        mailbox = stack.enter_context(aws.mailbox(endpoint))
        deploy()
        stage = deploy(f"AllowedOrigins={APP}")
        stage.settle(APP)
        program, where = cases.compiled(), variables(stage, mailbox)
        # Beside a case of a hundred parallel requests this AWS keeps others waiting for longer than a function waits.
        cases.run_all(program, where, FEWEST_CASES, at_a_time=1)
        example = check_example(stage)
        rights.check(stage, example, functools.partial(cases.run, program, where))
        check_rotation(stage)
        check_domain(stage)
        check_deletion(stage)


if __name__ == "__main__":
    main()
