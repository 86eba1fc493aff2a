"""An AWS on this machine: ministack, which deploys what CloudFormation is given and enforces IAM policies."""

import contextlib
import http.server
import json
import os
import threading
import urllib.request

from pool import free_port, process, wait_for


@contextlib.contextmanager
def running(folder, enforces_policies=True):
    """Runs an AWS that logs to a file in `folder`: its address, which every SDK and tool finds in the environment."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
    }
    # Its broker for devices is not needed, and wants more packages.
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"}
    settings["AUTH"] = "true" if enforces_policies else "false"
    environment = {**os.environ, **variables, **settings}
    with open(folder / "aws.log", "wb") as log:
        with process(["ministack"], cwd=folder, env=environment, stdout=log, stderr=log) as server:
            wait_for(port, server)
            os.environ.update(variables)
            yield endpoint


def sent_mail(endpoint):
    """The mail that SES took, the newest first, in the shape of the local server's mailbox."""
    with urllib.request.urlopen(f"{endpoint}/_ministack/ses/messages", timeout=30) as answer:
        accounts = json.load(answer)["messages"]
    mails = [mail for account in accounts.values() for mail in account]
    return [
        {"to": ", ".join(mail["To"]), "subject": mail["Subject"], "text": mail["BodyText"], "html": mail["BodyHtml"]}
        for mail in reversed(mails)
    ]


@contextlib.contextmanager
def mailbox(endpoint):
    """Serves what SES took as the local server's mailbox does: its address."""

    class Mailbox(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(sent_mail(endpoint)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing: every case looks here many times."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mailbox) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/_local/mail"
        server.shutdown()
