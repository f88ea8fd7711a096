//! When to stop: SIGTERM or Ctrl-C; a second Ctrl-C ends the process at once.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell expects of a process that a signal ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// One wish can arrive twice: from the terminal or `timeout`, and passed on by a wrapper. A person
/// does not press keys this fast.
const SAME_WISH: Duration = Duration::from_millis(150);

/// Both signals, listened for from the moment this is made.
pub(super) struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    pub(super) fn listen() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns at the next signal.
    pub(super) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Runs `stopping` to its end, unless Ctrl-C is pressed again. SIGTERM is no hurry: who sends
    /// it twice still wants a clean end, and who does not has SIGKILL.
    pub(super) async fn or_exit<T>(mut self, stopping: impl Future<Output = T>) -> T {
        let since = crate::clock::timer_now();
        let again = async {
            loop {
                self.interrupt.recv().await;
                if since.elapsed() >= SAME_WISH {
                    return;
                }
            }
        };
        tokio::select! {
            done = stopping => done,
            () = again => {
                tracing::warn!("told again to stop; ending without a clean shutdown");
                std::process::exit(INTERRUPTED);
            }
        }
    }
}
