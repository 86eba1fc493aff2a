//! Tasks that run beside each other until they are told to stop.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a task may take to finish what it has begun: a caller that sends half a request would hold it for ever.
const PATIENCE: Duration = Duration::from_secs(3);

/// A group of tasks that stops together. Dropping it ends them at once.
pub(crate) struct Tasks {
    stop: watch::Sender<()>,
    running: JoinSet<()>,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { stop: watch::Sender::new(()), running: JoinSet::new() }
    }

    /// Starts a task, which gets a future that ends once it should stop.
    pub(crate) fn spawn<T: Future<Output = ()> + Send + 'static>(&mut self, task: impl FnOnce(Stop) -> T) {
        let mut stop = self.stop.subscribe();
        self.running.spawn(task(Box::pin(async move {
            // An error means that the group was dropped, which is a reason to stop as well.
            let _ = stop.changed().await;
        })));
    }

    /// Stops all tasks, and waits for them.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.send(());
        let finished = async { while self.running.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(PATIENCE, finished).await;
    }
}

/// Ends once a task should stop.
pub(crate) type Stop = futures::future::BoxFuture<'static, ()>;
