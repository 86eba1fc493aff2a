"""A deployed stack on the AWS of this machine, as its owner and its users handle it."""

import base64
import contextlib
import json
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import boto3

from aws import sent_mail
from pool import PASSWORD, link_in

SENDER = "no-reply@example.com"

# What the imitation of AWS does not do, and what is done about it here.
DIFFERENCES = """\
What this AWS does not do:
- GenerateSecretString ignores ExcludePunctuation: the secret is replaced by one such as AWS would generate.
- ses:SendEmail is authorised for `*` and without ses:FromAddress: the statement is loosened here, and a test of the
  template holds it.
- CloudFormation's CorsConfiguration is not applied: the same values are set through API Gateway's own API.
- The rights of stream mappings, metric filters, throttling, access logs, time to live, point-in-time recovery,
  encryption and DisableExecuteApiEndpoint are taken and not applied: tests of the template hold them. Behind a custom
  domain, some of its own paths come before the API's, /login among them.
- Importing a secret into a stack is not supported, so taking over the table and the secret of a deleted stage is not
  tried.
"""


class Stage:
    """A stack, its outputs and its functions."""

    def __init__(self, name):
        self.name = name
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        resources = boto3.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
        self.resources = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
        self.endpoint = boto3.client("sts").meta.endpoint_url
        self.url = f"{self.endpoint}/_aws/execute-api/{self.resources['Api']}/$default"

    @classmethod
    def deploy(cls, name, *options):
        """Runs `sam deploy`."""
        command = ["sam", "deploy", "--stack-name", name, "--no-progressbar", "--no-confirm-changeset", *options]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{result.stdout}\nsam deploy failed.")
        return cls(name)

    def delete(self, *options):
        """Runs `sam delete`."""
        command = ["sam", "delete", "--no-prompts", *options]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{result.stdout}\nsam delete failed.")

    def settle(self, origin, quiet=False):
        """Makes up for what the imitation does not do, and verifies the sender as an owner has to."""
        if not quiet:
            print(DIFFERENCES, flush=True)
            self.rotate_secret(keep_previous=False)
            boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        self.loosen_mail()
        cors = {
            "AllowOrigins": [origin],
            "AllowCredentials": True,
            "AllowMethods": ["GET", "POST", "PATCH", "DELETE"],
            "AllowHeaders": ["authorization", "content-type"],
            "ExposeHeaders": ["retry-after"],
            "MaxAge": 600,
        }
        boto3.client("apigatewayv2").update_api(ApiId=self.resources["Api"], CorsConfiguration=cors)

    def rotate_secret(self, keep_previous=True):
        """Puts a new application secret, as the README says."""
        client, secret = boto3.client("secretsmanager"), self.outputs["ApplicationSecretArn"]
        new = client.get_random_password(PasswordLength=64, ExcludePunctuation=True)["RandomPassword"]
        client.put_secret_value(SecretId=secret, SecretString=new)
        if not keep_previous:
            versions = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
            (previous,) = (version for version, stages in versions.items() if "AWSPREVIOUS" in stages)
            stage = {"SecretId": secret, "VersionStage": "AWSPREVIOUS"}
            client.update_secret_version_stage(**stage, RemoveFromVersionId=previous)

    def policy(self, function):
        """The name of a function's role, and its one policy."""
        role = boto3.client("lambda").get_function_configuration(FunctionName=self.resources[function])["Role"]
        role = role.rsplit("/", 1)[-1]
        iam = boto3.client("iam")
        (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return role, name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

    def put_policy(self, role, name, document):
        """Replaces a role's policy."""
        boto3.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

    def loosen_mail(self):
        """Lets `send-mail` send where the imitation looks for the right to."""
        role, name, document = self.policy("SendMail")
        for statement in document["Statement"]:
            if statement["Action"] == "ses:SendEmail":
                statement["Resource"] = "*"
                statement.pop("Condition", None)
        self.put_policy(role, name, document)

    def recycle(self, function):
        """Makes the next invocation of a function a cold start."""
        client, name = boto3.client("lambda"), self.resources[function]
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        variables["RECYCLED"] = str(uuid.uuid4())
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0, "MaxAttempts": 1000})

    @contextlib.contextmanager
    def settings(self, function, **seconds):
        """Has a function read other settings of the pool for a while."""
        table = {"TableName": self.outputs["TableName"]}
        key = {"pk": {"S": f"{self.outputs['PoolId']}#POOL"}, "sk": {"S": "SETTINGS"}}
        values = {name: {"N": str(value)} for name, value in seconds.items()}
        boto3.client("dynamodb").put_item(**table, Item={**key, "item_type": {"S": "settings"}, **values})
        self.recycle(function)
        try:
            yield
        finally:
            boto3.client("dynamodb").delete_item(**table, Key=key)
            self.recycle(function)

    def run_schedule(self, function="SendMail"):
        """Runs a function as its schedule does."""
        event = json.dumps({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
        boto3.client("lambda").invoke(FunctionName=self.resources[function], Payload=event)

    def call(self, method, path, body=None, bearer=None, host=None):
        """Sends a request: the status and the JSON of the answer."""
        headers = {"content-type": "application/json"}
        headers |= {"authorization": f"Bearer {bearer}"} if bearer else {}
        # The imitation finds a custom domain by the header alone.
        headers |= {"host": host} if host else {}
        base = self.endpoint if host else self.url
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{base}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def registered(self):
        """Signs somebody up: the address and the user's id."""
        email = f"{uuid.uuid4().hex}@example.com"
        status, answer = self.call("POST", "/register", {"email": email, "password": PASSWORD})
        if status != 201:
            raise SystemExit(f"Signing up was answered with {status}.")
        return email, answer["user_id"]

    def mail_to(self, email):
        """The mails that SES took for an address."""
        return [mail for mail in sent_mail(self.endpoint) if mail["to"] == email]

    def user(self):
        """Signs somebody up and confirms the address: the address and the user's id."""
        email, user = self.registered()
        for _ in range(100):
            if mails := self.mail_to(email):
                link = link_in(mails[0])
                self.call("POST", "/verify-email", {"user_id": link["user"], "token": link["token"]})
                return email, user
            time.sleep(0.1)
        raise SystemExit("No mail came.")

    def session(self, email=None, token="refresh_token"):
        """Signs somebody in: one of the tokens."""
        email = email or self.user()[0]
        body = {"email": email, "password": PASSWORD, "token_in": "body"}
        status, answer = self.call("POST", "/login", body)
        if status != 200:
            raise SystemExit(f"Signing in was answered with {status}.")
        return answer[token]

    def signed_in(self):
        """Signs a new user in: the user's id and an access token."""
        email, user = self.user()
        return user, self.session(email, "access_token")

    @staticmethod
    def claims(token):
        """What an access token says."""
        payload = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    @staticmethod
    def certificate_and_zone(zone, domain):
        """A certificate for a domain, and the hosted zone that the domain is in."""
        certificate = boto3.client("acm").request_certificate(DomainName=domain, ValidationMethod="DNS")
        made = boto3.client("route53").create_hosted_zone(Name=zone, CallerReference=str(uuid.uuid4()))
        return certificate["CertificateArn"], made["HostedZone"]["Id"].rsplit("/", 1)[-1]

    @staticmethod
    def record(zone, name):
        """Where a zone's record points to."""
        records = boto3.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        (record,) = (record for record in records if record["Name"] == name and record["Type"] == "A")
        return record["AliasTarget"]["DNSName"].rstrip(".")
