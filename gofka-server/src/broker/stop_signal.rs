//! When to stop: SIGTERM or Ctrl-C; a second one ends the process at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell expects of a process that a signal ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

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

    /// Runs `stopping` to its end, unless another signal comes.
    pub(super) async fn or_exit<T>(mut self, stopping: impl Future<Output = T>) -> T {
        tokio::select! {
            done = stopping => done,
            () = self.wait() => {
                eprintln!("gofka: told again to stop; ending without a clean shutdown");
                std::process::exit(INTERRUPTED);
            }
        }
    }
}
