use std::collections::BTreeMap;

use freehold_domain::trigger::Metadata;
use freehold_service::flow::challenge::Caller;
use lambda_http::Request;

use crate::language;

/// What a request says of who sent it, and hands to triggers in the field `client_metadata`.
#[must_use]
pub fn caller(request: &Request, client_metadata: Option<BTreeMap<String, String>>) -> Caller {
    Caller { language: language(request), client_metadata: client_metadata.map(Metadata::new) }
}
