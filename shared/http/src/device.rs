use freehold_domain::session::Device;
use lambda_http::http::header::USER_AGENT;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};

/// Where a request comes from. The address is the one that the gateway saw: a header can say anything.
#[must_use]
pub fn device(request: &Request) -> Device {
    let source_ip = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    Device::new(source_ip.unwrap_or_default(), user_agent.unwrap_or_default())
}
