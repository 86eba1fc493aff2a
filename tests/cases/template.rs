//! What the template promises. Most of it no imitation of AWS on one machine would miss.

use std::collections::{BTreeMap, BTreeSet};

use freehold_domain::mail::LEASE;
use freehold_domain::trigger::Trigger;
use serde_json::{Value, json};
use tests::root;

use crate::house::read;

/// What is deployed.
pub(crate) fn template() -> Value {
    cloudformation("template.yaml")
}

/// A template, its short functions (`!Ref` and the like) read as what they are applied to.
fn cloudformation(path: &str) -> Value {
    fn without_tags(value: yaml_serde::Value) -> yaml_serde::Value {
        match value {
            yaml_serde::Value::Tagged(tagged) => without_tags(tagged.value),
            yaml_serde::Value::Mapping(map) => {
                map.into_iter().map(|(key, value)| (key, without_tags(value))).collect::<yaml_serde::Mapping>().into()
            }
            yaml_serde::Value::Sequence(list) => list.into_iter().map(without_tags).collect::<Vec<_>>().into(),
            plain @ (yaml_serde::Value::Null
            | yaml_serde::Value::Bool(_)
            | yaml_serde::Value::Number(_)
            | yaml_serde::Value::String(_)) => plain,
        }
    }
    let template = yaml_serde::from_str(&read(path)).unwrap();
    serde_json::to_value(without_tags(template)).unwrap()
}

/// Every place in a value where a key has this name.
pub(crate) fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if name == key {
                    found.push(value);
                }
                all(value, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| all(value, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The logical names and the resources of a type.
fn resources<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let all = template["Resources"].as_object().unwrap().iter();
    let found: Vec<_> =
        all.filter(|(_, resource)| resource["Type"] == kind).map(|(name, it)| (name.as_str(), it)).collect();
    assert!(!found.is_empty(), "the template has no {kind}");
    found
}

#[test]
fn no_policy_allows_every_action_or_every_resource() {
    let template = template();
    let (mut actions, mut resources) = (Vec::new(), Vec::new());
    all(&template, "Action", &mut actions);
    all(&template, "Resource", &mut resources);
    assert!(actions.len() > 10, "the policies were not found");
    let texts = |values: Vec<&Value>| -> Vec<String> {
        let flat =
            values.into_iter().flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]));
        flat.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    for action in texts(actions) {
        assert!(!action.contains('*'), "{action}");
    }
    for resource in texts(resources) {
        assert_ne!(resource, "*");
    }
}

/// A managed policy, or one of SAM's templates, allows more than a function needs.
#[test]
fn every_policy_is_written_out() {
    let template = template();
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        for policy in function["Properties"]["Policies"].as_array().unwrap() {
            let keys: Vec<_> = policy.as_object().expect(name).keys().collect();
            assert_eq!(keys, ["Statement", "Version"], "{name}");
        }
    }
}

#[test]
fn the_application_secret_is_never_a_plain_variable_of_the_template() {
    let template = template();
    let mut variables = Vec::new();
    all(&template, "Variables", &mut variables);
    assert!(variables.iter().any(|variables| variables.get("APPLICATION_SECRET_ARN").is_some()));
    assert!(!variables.iter().any(|variables| variables.get("APPLICATION_SECRET").is_some()));
}

#[test]
fn send_mail_may_send_as_the_senders_alone() {
    let template = template();
    let policy = &template["Resources"]["SendMail"]["Properties"]["Policies"][0]["Statement"];
    let ses: Vec<_> = policy.as_array().unwrap().iter().filter(|it| it["Action"] == "ses:SendEmail").collect();
    let expected = json!({
        "Effect": "Allow",
        "Action": "ses:SendEmail",
        "Resource": [
            "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*",
            "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*",
        ],
        "Condition": {"StringEquals": {"ses:FromAddress": ["MailFrom", "PoolSender"]}},
    });
    assert_eq!(ses, [&expected]);
}

/// The functions of the owner's that each function calls.
const CALLED: [(&str, &[Trigger]); 8] = [
    ("ChangePassword", &[Trigger::PreTokenGeneration]),
    ("ForgotPassword", &[Trigger::UserMigration]),
    (
        "Login",
        &[
            Trigger::PreAuthentication,
            Trigger::PostAuthentication,
            Trigger::PreTokenGeneration,
            Trigger::UserMigration,
            Trigger::DefineAuthChallenge,
            Trigger::CreateAuthChallenge,
            Trigger::VerifyAuthChallengeResponse,
        ],
    ),
    ("Refresh", &[Trigger::PreTokenGeneration]),
    ("Register", &[Trigger::PreSignUp, Trigger::PostConfirmation]),
    ("ResetPassword", &[Trigger::PostConfirmation]),
    ("SendMail", &[Trigger::CustomMessage, Trigger::CustomEmailSender]),
    ("VerifyEmail", &[Trigger::PostConfirmation]),
];

#[test]
fn each_function_may_call_its_triggers_alone() {
    let template = template();
    let mut allowed = Vec::new();
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let statements = function["Properties"]["Policies"][0]["Statement"].as_array().unwrap();
        // A statement stands in `!If [condition, statement, otherwise]`.
        let calls =
            statements.iter().filter(|it| it[1]["Action"] == "lambda:InvokeFunction").map(|it| &it[1]["Resource"]);
        let named: Vec<&str> = calls
            .flat_map(|resource| {
                resource.as_array().map_or_else(|| vec![resource], |list| list.iter().map(|it| &it[1]).collect())
            })
            .map(|parameter| parameter.as_str().unwrap().strip_suffix("Trigger").unwrap())
            .collect();
        if !named.is_empty() {
            allowed.push((name, named));
        }
    }
    let called = CALLED.map(|(name, triggers)| (name, triggers.iter().map(|trigger| trigger.as_str()).collect()));
    assert_eq!(allowed, called);
}

#[test]
fn every_trigger_is_a_parameter_and_known_to_the_functions_by_its_name() {
    let template = template();
    let variable = template["Globals"]["Function"]["Environment"]["Variables"]["TRIGGERS"].as_str().unwrap();
    let named: BTreeMap<String, String> = serde_json::from_str(variable).unwrap();
    let expected = Trigger::ALL.map(|trigger| {
        let version = if trigger == Trigger::PreTokenGeneration { ":${PreTokenGenerationVersion}" } else { "" };
        (format!("{trigger}{version}"), format!("${{{trigger}Trigger}}"))
    });
    assert_eq!(named, expected.into());
    for trigger in Trigger::ALL {
        assert_eq!(template["Parameters"][format!("{trigger}Trigger")]["Default"], "", "{trigger}");
    }
}

#[test]
fn a_mail_is_leased_for_longer_than_send_mail_may_run() {
    let template = template();
    let timeout = template["Resources"]["SendMail"]["Properties"]["Timeout"].as_u64().unwrap();
    assert!(timeout < LEASE.as_secs());
}

#[test]
fn send_mail_may_read_the_streams_of_the_table_alone() {
    let template = template();
    let policy = &template["Resources"]["SendMail"]["Properties"]["Policies"][0]["Statement"];
    let is_about_streams = |it: &&Value| it["Resource"] == "${Table.Arn}/stream/*";
    let stream = policy.as_array().unwrap().iter().find(is_about_streams).expect("there is a statement");
    let needed = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
    assert_eq!(stream["Action"], json!(needed.map(|action| format!("dynamodb:{action}"))));
}

#[test]
fn the_stream_carries_keys_and_wakes_for_mail_alone() {
    let template = template();
    let table = &template["Resources"]["Table"]["Properties"];
    assert_eq!(table["StreamSpecification"], json!({"StreamViewType": "KEYS_ONLY"}));
    let mapping = &template["Resources"]["SendMailFromStream"]["Properties"];
    let pattern: Value =
        serde_json::from_str(mapping["FilterCriteria"]["Filters"][0]["Pattern"].as_str().unwrap()).unwrap();
    let expected = json!({"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "MAIL#"}]}}}});
    assert_eq!(pattern, expected);
    assert!(read("shared/service/src/store/keys.rs").contains("MAIL_PREFIX: &str = \"MAIL#\""));
}

#[test]
fn the_table_is_encrypted_expires_items_and_can_be_restored() {
    let template = template();
    let table = &template["Resources"]["Table"]["Properties"];
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["SSESpecification"], json!({"SSEEnabled": true}));
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "expires_at", "Enabled": true}));
    assert_eq!(table["PointInTimeRecoverySpecification"], json!({"PointInTimeRecoveryEnabled": true}));
    assert_eq!(table["DeletionProtectionEnabled"], "DeletionProtection");
}

/// A fixed name would keep AWS from ever replacing the resource, and a second stage out of the account.
#[test]
fn table_and_secret_outlive_the_stack_and_have_no_fixed_names() {
    let template = template();
    for name in ["Table", "ApplicationSecret"] {
        let resource = &template["Resources"][name];
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
        assert!(resource["Properties"].get("TableName").or(resource["Properties"].get("Name")).is_none(), "{name}");
    }
}

/// Any change to the block makes AWS generate another secret.
#[test]
fn the_block_that_generates_the_application_secret_is_never_edited() {
    let template = template();
    let block = &template["Resources"]["ApplicationSecret"]["Properties"]["GenerateSecretString"];
    assert_eq!(*block, json!({"PasswordLength": 64, "ExcludePunctuation": true}));
}

#[test]
fn what_a_new_stack_takes_over_is_what_the_template_has() {
    let (template, kept) = (template(), cloudformation("examples/take-over.yaml"));
    let resources = kept["Resources"].as_object().unwrap();
    assert_eq!(resources.keys().collect::<Vec<_>>(), ["ApplicationSecret", "Table"]);
    for (name, resource) in resources {
        assert_eq!(*resource, template["Resources"][name], "{name}");
    }
    assert_eq!(kept["Parameters"]["DeletionProtection"], template["Parameters"]["DeletionProtection"]);
}

#[test]
fn every_route_has_a_limit_of_its_own() {
    let template = template();
    let stage = &template["Resources"]["Stage"];
    let limits = stage["Properties"]["RouteSettings"].as_object().unwrap();
    let routes = resources(&template, "AWS::ApiGatewayV2::Route");
    let keys: BTreeSet<_> = routes.iter().map(|(_, route)| route["Properties"]["RouteKey"].as_str().unwrap()).collect();
    assert_eq!(limits.keys().map(String::as_str).collect::<BTreeSet<_>>(), keys);
    for limit in limits.values() {
        assert!(limit["ThrottlingRateLimit"].as_u64() > Some(0) && limit["ThrottlingBurstLimit"].as_u64() > Some(0));
    }
    // CloudFormation refuses a limit of a route that it has not made yet.
    let awaited: BTreeSet<_> =
        stage["DependsOn"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(awaited, routes.iter().map(|(name, _)| *name).collect());
}

/// Paths, query strings and headers hold tokens, or whatever else a caller puts into them.
#[test]
fn the_access_log_names_nothing_that_a_caller_chose() {
    let template = template();
    let format = template["Resources"]["Stage"]["Properties"]["AccessLogSettings"]["Format"].as_str().unwrap();
    let line: Value = serde_json::from_str(format).unwrap();
    let known = [
        "$context.requestTime",
        "$context.requestId",
        "$context.identity.sourceIp",
        "$context.routeKey",
        "$context.status",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.integration.status",
        "$context.integration.error",
    ];
    let mut named: Vec<_> = line.as_object().unwrap().values().map(|value| value.as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, {
        let mut known = known;
        known.sort_unstable();
        known
    });
}

#[test]
fn a_custom_domain_switches_the_apis_own_address_off() {
    let template = template();
    let api = &template["Resources"]["Api"]["Properties"];
    assert_eq!(api["DisableExecuteApiEndpoint"], json!(["HasDomain", true, false]));
}

#[test]
fn every_log_group_forgets() {
    let template = template();
    for (name, group) in resources(&template, "AWS::Logs::LogGroup") {
        assert!(group["Properties"]["RetentionInDays"].as_u64() > Some(0), "{name}");
    }
    assert_eq!(template["Globals"]["Function"]["LoggingConfig"]["LogGroup"], "Logs");
}

#[test]
fn every_alarm_notifies_the_topic_and_says_when_it_is_over() {
    let template = template();
    let mut metrics = BTreeSet::new();
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        let alarm = &alarm["Properties"];
        assert_eq!((&alarm["AlarmActions"], &alarm["OKActions"]), (&json!(["Alarms"]), &json!(["Alarms"])), "{name}");
        let dimension = alarm["Dimensions"][0]["Value"].as_str().unwrap_or("all");
        metrics.insert((alarm["MetricName"].as_str().unwrap(), dimension));
    }
    let expected = [
        ("5xx", "Api"),
        ("ApproximateNumberOfMessagesVisible", "DeadMail.QueueName"),
        ("Errors", "Authorizer"),
        ("Errors", "EraseAccounts"),
        ("Errors", "SendMail"),
        ("OldestUnsentMail", "all"),
        ("Throttles", "all"),
    ];
    assert_eq!(metrics, expected.into());
}

#[test]
fn the_alarm_about_old_mail_watches_the_line_that_send_mail_writes() {
    let template = template();
    let filter = &template["Resources"]["OldestMail"]["Properties"];
    let line = "$.fields.oldest_unsent_mail_seconds";
    assert_eq!(filter["FilterPattern"], format!("{{ $.target = \"metric\" && {line} >= 0 }}"));
    assert_eq!(filter["LogGroupName"], "Logs");
    let (metric, alarm) =
        (&filter["MetricTransformations"][0], &template["Resources"]["OldestMailAlarm"]["Properties"]);
    assert_eq!(metric["MetricValue"], line);
    assert_eq!((&metric["MetricNamespace"], &metric["MetricName"]), (&alarm["Namespace"], &alarm["MetricName"]));
    assert_eq!(alarm["TreatMissingData"], "breaching");
}

#[test]
fn functions_are_deployed_as_cargo_lambda_builds_them() {
    let template = template();
    let usual = &template["Globals"]["Function"];
    assert_eq!((&usual["Runtime"], &usual["Handler"]), (&json!("provided.al2023"), &json!("bootstrap")));
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        assert_eq!(function["Metadata"]["SkipBuild"], true, "{name}");
        let folder = function["Properties"]["CodeUri"].as_str().unwrap().strip_prefix("target/lambda/").unwrap();
        assert!(root().join("functions").join(folder).is_dir(), "{name}");
    }
}
