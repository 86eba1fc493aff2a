use freehold_domain::Error;
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::user::User;
use serde_json::json;

use super::{Nothing, Subject, with_client_metadata};
use crate::App;

/// Asks whether somebody may try to sign in, also with an address that nobody has.
pub(crate) async fn pre_authentication(
    app: &App,
    subject: &Subject,
    validation_data: Option<&Metadata>,
) -> Result<(), Error> {
    let Some(call) = app.trigger(Trigger::PreAuthentication)? else { return Ok(()) };
    let request = json!({
        "validationData": super::validation_data(validation_data),
        "userNotFound": !subject.is_known(),
    });
    call.invoke::<Nothing>("Authentication", subject, request, json!({})).await.map(drop)
}

/// Tells that somebody has shown who they are. Devices are not remembered, so that none is new.
pub(crate) async fn post_authentication(
    app: &App,
    user: &User,
    client_metadata: Option<&Metadata>,
) -> Result<(), Error> {
    let Some(call) = app.trigger(Trigger::PostAuthentication)? else { return Ok(()) };
    let request = with_client_metadata(json!({ "newDeviceUsed": false }), client_metadata);
    call.invoke::<Nothing>("Authentication", &Subject::of(user), request, json!({})).await.map(drop)
}
