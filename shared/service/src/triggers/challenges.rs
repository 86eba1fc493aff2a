use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_domain::conversation::{ChallengeName, PrivateParameters, Round};
use freehold_domain::trigger::{Metadata, Trigger};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Subject, with_client_metadata};
use crate::App;

/// Where a sign-in stands.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    /// Who signs in.
    pub(crate) subject: &'a Subject,
    /// What was asked and answered so far.
    pub(crate) rounds: &'a [Round],
    /// What the client handed over with its answer.
    pub(crate) client_metadata: Option<&'a Metadata>,
}

/// What comes next.
pub(crate) enum Definition {
    /// The password.
    Password,
    /// A challenge that the owner's function makes.
    Custom,
    /// The user has shown who they are.
    IssueTokens,
    /// They have not.
    Fail,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct DefineResponse {
    challenge_name: Option<String>,
    issue_tokens: Option<bool>,
    fail_authentication: Option<bool>,
}

/// A challenge that was made.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CreateResponse {
    public_challenge_parameters: Option<BTreeMap<String, String>>,
    private_challenge_parameters: Option<BTreeMap<String, String>>,
    challenge_metadata: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct VerifyResponse {
    answer_correct: Option<bool>,
}

/// A challenge for the client, and what its answer is compared with.
pub(crate) struct Created {
    pub(crate) public_parameters: BTreeMap<String, String>,
    pub(crate) private_parameters: PrivateParameters,
    pub(crate) metadata: Option<String>,
}

/// Asks what comes next.
pub(crate) async fn define_challenge(app: &App, step: Step<'_>) -> Result<Definition, Error> {
    let call = conducting(app, Trigger::DefineAuthChallenge)?;
    let response = json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null });
    let answer: DefineResponse = call.invoke("Authentication", step.subject, step.request(), response).await?;
    if answer.fail_authentication == Some(true) {
        return Ok(Definition::Fail);
    }
    if answer.issue_tokens == Some(true) {
        return Ok(Definition::IssueTokens);
    }
    match answer.challenge_name.as_deref().and_then(ChallengeName::parse) {
        Some(ChallengeName::PasswordVerifier) => Ok(Definition::Password),
        Some(ChallengeName::Custom) => Ok(Definition::Custom),
        Some(ChallengeName::SrpA) | None => Err(call.failed("it names no challenge that there is")),
    }
}

/// Has a challenge made.
pub(crate) async fn create_challenge(app: &App, step: Step<'_>) -> Result<Created, Error> {
    let call = conducting(app, Trigger::CreateAuthChallenge)?;
    let mut request = step.request();
    request["challengeName"] = json!(ChallengeName::Custom.as_str());
    let response = json!({
        "publicChallengeParameters": null,
        "privateChallengeParameters": null,
        "challengeMetadata": null,
    });
    let answer: CreateResponse = call.invoke("Authentication", step.subject, request, response).await?;
    Ok(Created {
        public_parameters: answer.public_challenge_parameters.unwrap_or_default(),
        private_parameters: PrivateParameters(answer.private_challenge_parameters.unwrap_or_default()),
        metadata: answer.challenge_metadata,
    })
}

/// Has an answer compared.
pub(crate) async fn verify_answer(
    app: &App,
    step: Step<'_>,
    private_parameters: &PrivateParameters,
    answer: &str,
) -> Result<bool, Error> {
    let call = conducting(app, Trigger::VerifyAuthChallengeResponse)?;
    let request = json!({
        "privateChallengeParameters": private_parameters.0,
        "challengeAnswer": answer,
        "userNotFound": !step.subject.is_known(),
    });
    let request = with_client_metadata(request, step.client_metadata);
    let response = json!({ "answerCorrect": null });
    let answer: VerifyResponse = call.invoke("Authentication", step.subject, request, response).await?;
    Ok(answer.answer_correct == Some(true))
}

/// One of the three functions that conduct such a sign-in. A pool has all of them or none.
fn conducting(app: &App, trigger: Trigger) -> Result<Call<'_>, Error> {
    app.trigger(trigger)?.ok_or_else(|| Error::trigger_failed(trigger, "the pool has no such trigger"))
}

impl Step<'_> {
    fn request(&self) -> Value {
        let round = |round: &Round| {
            json!({
                "challengeName": round.challenge.as_str(),
                "challengeResult": round.passed,
                "challengeMetadata": round.metadata,
            })
        };
        let rounds: Vec<Value> = self.rounds.iter().map(round).collect();
        let request = json!({ "session": rounds, "userNotFound": !self.subject.is_known() });
        with_client_metadata(request, self.client_metadata)
    }
}
