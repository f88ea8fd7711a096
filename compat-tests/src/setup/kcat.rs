//! Debian's kcat, which brings the old librdkafka 2.0.2: an old client on purpose. Its driver is
//! a Python program.

use super::{SetupError, python, system};

pub(super) fn install() -> Result<(), SetupError> {
    system("kcat", "-V", "kcat")?;
    python::install()
}
