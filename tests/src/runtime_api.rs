use std::net::Ipv4Addr;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

/// Lambda's Runtime API, for one process of a function: it gives out events, and takes what is answered.
pub struct RuntimeApi {
    address: String,
    events: mpsc::UnboundedSender<String>,
    asked: mpsc::UnboundedReceiver<()>,
    answers: mpsc::UnboundedReceiver<Answered>,
}

/// What a function said to an event.
pub struct Answered {
    /// Whether it is an answer; otherwise it is an error.
    pub is_answer: bool,
    /// The answer or the error.
    pub body: Vec<u8>,
}

/// What the connections of the function share.
struct Door {
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    asked: mpsc::UnboundedSender<()>,
    answers: mpsc::UnboundedSender<Answered>,
}

impl RuntimeApi {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address").to_string();
        let (events, given) = mpsc::unbounded_channel();
        let (asks, asked) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let door = Arc::new(Door { events: Mutex::new(given), asked: asks, answers: answered });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let door = Arc::clone(&door);
                let service = hyper::service::service_fn(move |request| door.clone().answer(request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, events, asked, answers }
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits until the function asks for an event: once it has started, and each time that it has answered.
    pub async fn asked(&mut self) {
        self.asked.recv().await;
    }

    /// Gives out an event and waits for the answer.
    ///
    /// # Panics
    /// Never while the function may still answer.
    pub async fn invoke(&mut self, event: String) -> Answered {
        self.events.send(event).expect("this takes events as long as it is there");
        self.answers.recv().await.expect("this takes answers as long as it is there")
    }
}

impl Door {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        if request.uri().path().ends_with("/invocation/next") {
            let _ = self.asked.send(());
            let Some(event) = self.events.lock().await.recv().await else { return std::future::pending().await };
            let mut response = Response::new(Full::new(Bytes::from(event)));
            for (name, value) in [
                ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
                ("lambda-runtime-deadline-ms", "4102444800000"),
                ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:x"),
                ("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
            ] {
                response.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
            }
            return Ok(response);
        }
        let is_answer = request.uri().path().ends_with("/response");
        let body = request.into_body().collect().await?.to_bytes().to_vec();
        let _ = self.answers.send(Answered { is_answer, body });
        let mut response = Response::new(Full::default());
        *response.status_mut() = hyper::StatusCode::ACCEPTED;
        Ok(response)
    }
}
