"""Takes one action at a time out of each function's policy, which has to make a named case fail."""

import contextlib
import copy
import time

import boto3

from pool import PASSWORD
from stage import SENDER

SIGN_UP = "register::what_is_stored_is_a_hash_an_envelope_and_the_base64_of_a_pem"
TAKE_OVER = "register::whoever_takes_a_lapsed_address_over_deletes_the_abandoned_account"
CANCEL = "cancel_registration::this_was_not_me_deletes_the_account_and_frees_the_address"
VERIFY = "verify_email::a_mailed_link_verifies_the_address_once"
CHANGE = "change_password::the_old_password_and_a_recent_sign_in_set_another_and_keep_this_session_alone"
SESSIONS = "sessions::everywhere_one_is_signed_in_is_listed_with_the_device_in_words"
END_ONE = "sessions::one_session_is_ended_by_its_id"
END_OTHERS = "sessions::all_others_are_ended_and_this_one_goes_on"
FORGIVEN = "guessing::a_right_password_forgives_the_wrong_ones_before_it"
FORGIVEN_BY_CHANGE = "guessing::a_right_current_password_forgives_the_wrong_ones_before_it"
VERIFY_BY_CODE = "verify_email::a_mailed_code_verifies_the_address_once_however_it_is_spelled"
FORGOT = "forgot_password::a_mail_offers_another_password_by_link_and_by_code"
RESET = "reset_password::a_mailed_link_sets_another_password_once_and_signs_nobody_in"
RESET_BY_CODE = "reset_password::a_mailed_code_sets_another_password_once"
RESEND = "resend_verification::a_new_link_replaces_the_old_one"
SIGN_IN = "login::a_weaker_hash_is_replaced_by_the_sign_in_that_it_lets_in"
REFRESH = "refresh::the_current_token_rotates_and_gives_an_access_token_of_the_same_session"
THEFT = "refresh::an_older_token_is_theft_and_ends_the_session_for_both"
SIGN_OUT = "logout::signing_out_with_the_cookie_works_at_once"
SIGN_OUT_BY_BEARER = "logout::signing_out_works_with_the_access_token_alone"
ME = "me::the_bearer_of_an_access_token_is_told_who_it_is"
UPDATE_ME = "me::name_and_attributes_are_changed_and_removed"
EXPORT = "me::everything_that_is_stored_about_somebody_is_exported"
CHANGE_EMAIL = "change_email::a_mailed_link_gives_the_account_another_address_once"
KEEP = "delete_account::a_mailed_link_keeps_the_account_once"
ISSUER = "issuer::a_user_is_an_issuer_whose_key_verifies_the_users_tokens"


def is_mail_sent_and_forgotten(stage, _example):
    """Whether a mail reaches SES and leaves the outbox."""
    email, user = stage.registered()
    stage.run_schedule()
    # The stream may have begun with it before the schedule did.
    return is_soon(lambda: len(stage.mail_to(email)) == 1 and not waiting_mail(stage, user))


def is_dead_mail_reported(stage, _example):
    """Whether the queue hears of a mail that SES refused ten times."""
    ses, sender = boto3.client("sesv2"), {"EmailIdentity": SENDER}
    ses.delete_email_identity(**sender)
    try:
        _, user = stage.registered()
        # The stream woke the function, which tried it once.
        if not is_soon(lambda: waiting_mail(stage, user)[0]["attempts"] == {"N": "1"}):
            return False
        (mail,) = waiting_mail(stage, user)
        boto3.client("dynamodb").update_item(
            TableName=stage.outputs["TableName"],
            Key={"pk": mail["pk"], "sk": mail["sk"]},
            UpdateExpression="SET attempts = :nine, due_at = :zero",
            ExpressionAttributeValues={":nine": {"N": "9"}, ":zero": {"N": "0"}},
        )
        stage.run_schedule()
    finally:
        ses.create_email_identity(**sender)
    received = boto3.client("sqs").receive_message(QueueUrl=stage.resources["DeadMail"], MaxNumberOfMessages=10)
    return any(mail["sk"]["S"] in message["Body"] for message in received.get("Messages", []))


def is_confirmed_account_mailed_again(stage, _example):
    """Whether somebody whom a trigger confirmed, and who never verified the address, is mailed once more."""
    email, user = stage.registered()
    stage.run_schedule()
    if not is_soon(lambda: len(stage.mail_to(email)) == 1):
        return False
    # No trigger is deployed here, so the table is told what one would have said.
    boto3.client("dynamodb").update_item(
        TableName=stage.outputs["TableName"],
        Key={"pk": {"S": f"{stage.outputs['PoolId']}#USER#{user}"}, "sk": {"S": "PROFILE"}},
        UpdateExpression="SET account_status = :confirmed",
        ExpressionAttributeValues={":confirmed": {"S": "confirmed"}},
    )
    stage.call("POST", "/verify-email/resend", {"email": email})
    stage.run_schedule()
    return is_soon(lambda: len(stage.mail_to(email)) == 2)


def is_soon(condition):
    """Whether something becomes true within some seconds."""
    for _ in range(30):
        if condition():
            return True
        time.sleep(0.1)
    return False


def waiting_mail(stage, user):
    """The mails to a user that are in the outbox."""
    items = boto3.client("dynamodb").scan(TableName=stage.outputs["TableName"], ConsistentRead=True)["Items"]
    return [item for item in items if item["item_type"]["S"] == "mail" and item["user_id"]["S"] == user]


def is_account_erased(stage, _example):
    """Whether nothing is left of an account whose time has come, and a mail says so."""
    email, user, status = delete_account(stage, grace_seconds=1)
    if status != 202:
        raise SystemExit(f"Deleting an account was answered with {status}.")
    time.sleep(1)
    stage.run_schedule("EraseAccounts")
    said = "Your account was deleted"
    return is_soon(lambda: not kept_items(stage, email, user) and stage.mail_to(email)[0]["subject"] == said)


def is_account_deleted_at_once(stage, _example):
    """Whether nothing is left of an account of a pool that gives no days of grace."""
    email, user, status = delete_account(stage, grace_seconds=0)
    return status == 202 and not kept_items(stage, email, user)


def delete_account(stage, grace_seconds):
    """Has a new user's account deleted: its address, its id, and the answer's status."""
    email, user = stage.user()
    token = stage.session(email, "access_token")
    with stage.settings("DeleteAccount", deletion_grace_seconds=grace_seconds):
        status, _ = stage.call("DELETE", "/me", {"current_password": PASSWORD}, bearer=token)
    return email, user, status


def kept_items(stage, email, user):
    """What is in the partitions of a user and of an address."""
    client, table, pool = boto3.client("dynamodb"), stage.outputs["TableName"], stage.outputs["PoolId"]
    partitions = [f"{pool}#USER#{user}", f"{pool}#LOGIN#email#{email}"]
    is_in = {"TableName": table, "ConsistentRead": True, "KeyConditionExpression": "pk = :pk"}
    answers = [client.query(**is_in, ExpressionAttributeValues={":pk": {"S": pk}}) for pk in partitions]
    return [item for answer in answers for item in answer["Items"]]


def is_a_user_let_in(stage, example):
    """Whether the authorizer lets a signed-in user in."""
    _, token = stage.signed_in()
    return example.call("GET", "/hello", bearer=token)[0] == 200


GET, PUT, UPDATE, DELETE, CHECK = (
    f"dynamodb:{name}Item" for name in ("Get", "Put", "Update", "Delete", "ConditionCheck")
)
SECRET = "secretsmanager:GetSecretValue"

# A name is that of an end-to-end case; a function here stands for what no such case can see.
CASES = {
    "Register": {GET: SIGN_UP, PUT: SIGN_UP, DELETE: TAKE_OVER, SECRET: SIGN_UP},
    "CancelRegistration": {GET: CANCEL, DELETE: CANCEL},
    "VerifyEmail": {GET: VERIFY, UPDATE: VERIFY, DELETE: VERIFY, SECRET: VERIFY_BY_CODE},
    "ResendVerification": {
        GET: RESEND,
        PUT: RESEND,
        UPDATE: RESEND,
        CHECK: is_confirmed_account_mailed_again,
        SECRET: RESEND,
    },
    "ForgotPassword": {GET: FORGOT, PUT: FORGOT, UPDATE: FORGOT, CHECK: FORGOT, SECRET: FORGOT},
    "ResetPassword": {GET: RESET, PUT: RESET, UPDATE: RESET_BY_CODE, DELETE: RESET, SECRET: RESET},
    "ChangePassword": {GET: CHANGE, PUT: CHANGE, UPDATE: CHANGE, DELETE: FORGIVEN_BY_CHANGE, SECRET: CHANGE},
    "Sessions": {GET: SESSIONS, "dynamodb:Query": SESSIONS, UPDATE: END_OTHERS, DELETE: END_ONE},
    "Login": {GET: SIGN_IN, "dynamodb:Query": SIGN_IN, PUT: SIGN_IN, UPDATE: SIGN_IN, DELETE: FORGIVEN, SECRET: SIGN_IN},
    "Refresh": {GET: REFRESH, "dynamodb:Query": REFRESH, UPDATE: REFRESH, DELETE: THEFT, SECRET: REFRESH},
    "Logout": {GET: SIGN_OUT_BY_BEARER, DELETE: SIGN_OUT, SECRET: SIGN_OUT},
    "Me": {GET: ME, "dynamodb:Query": EXPORT, UPDATE: UPDATE_ME},
    "ChangeEmail": {
        GET: CHANGE_EMAIL,
        PUT: CHANGE_EMAIL,
        UPDATE: CHANGE_EMAIL,
        DELETE: CHANGE_EMAIL,
        CHECK: CHANGE_EMAIL,
        SECRET: CHANGE_EMAIL,
    },
    "DeleteAccount": {
        GET: KEEP,
        PUT: KEEP,
        UPDATE: KEEP,
        DELETE: KEEP,
        "dynamodb:Query": is_account_deleted_at_once,
        "dynamodb:BatchWriteItem": is_account_deleted_at_once,
        SECRET: KEEP,
    },
    "Issuer": {GET: ISSUER},
    "Authorizer": {GET: is_a_user_let_in},
    "EraseAccounts": {
        GET: is_account_erased,
        "dynamodb:Query": is_account_erased,
        "dynamodb:BatchWriteItem": is_account_erased,
        PUT: is_account_erased,
        DELETE: is_account_erased,
    },
    "SendMail": {
        GET: is_mail_sent_and_forgotten,
        "dynamodb:Query": is_mail_sent_and_forgotten,
        UPDATE: is_mail_sent_and_forgotten,
        DELETE: is_mail_sent_and_forgotten,
        SECRET: is_mail_sent_and_forgotten,
        "ses:SendEmail": is_mail_sent_and_forgotten,
        "sqs:SendMessage": is_dead_mail_reported,
    },
}

# A policy has at least one statement.
HARMLESS = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}

# This AWS reads streams without asking for the right to.
UNCHECKED = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}


# What is asked for at a cold start, and then seldom: the application secret, and for mail and refreshes the
# pool's settings.
KEPT = {("Refresh", GET), ("SendMail", GET)}


def check(stage, example, run):
    """Goes through every action of every policy."""
    for function, cases in CASES.items():
        granted = {action for statement in stage.policy(function)[2]["Statement"] for action in actions(statement)}
        if granted - UNCHECKED != set(cases):
            raise SystemExit(f"{function} is granted {sorted(granted)}, and there are cases for {sorted(cases)}.")
        for action, case in cases.items():
            with missing(stage, function, action):
                if holds(case, stage, example, run):
                    raise SystemExit(f"Nothing fails when {function} may not {action}.")
    # Had something else broken meanwhile, every case would fail, and show nothing.
    for case in {case for cases in CASES.values() for case in cases.values()}:
        if not holds(case, stage, example, run):
            raise SystemExit(f"{case} fails although no right is missing.")
    print(f"each of {sum(map(len, CASES.values()))} rights of {len(CASES)} functions is needed", flush=True)


def holds(case, stage, example, run):
    """Whether a case passes."""
    return case(stage, example) if callable(case) else run("--exact", case).returncode == 0


def actions(statement):
    """The actions of a statement."""
    named = statement["Action"]
    return [named] if isinstance(named, str) else named


@contextlib.contextmanager
def missing(stage, function, action):
    """Takes an action out of a function's policy for a while."""
    role, name, document = stage.policy(function)
    without = copy.deepcopy(document)
    for statement in without["Statement"]:
        statement["Action"] = [other for other in actions(statement) if other != action]
    without["Statement"] = [statement for statement in without["Statement"] if statement["Action"]] or [HARMLESS]
    stage.put_policy(role, name, without)
    if (function, action) in KEPT or action == SECRET:
        stage.recycle(function)
    try:
        yield
    finally:
        stage.put_policy(role, name, document)
        if (function, action) in KEPT or action == SECRET:
            stage.recycle(function)
