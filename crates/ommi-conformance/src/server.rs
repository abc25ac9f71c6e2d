//! Servers that tests need and a machine may not have.

use std::io::Write;

/// The address of a server, by the environment variable that holds it; `dev/services env` sets
/// those of the servers that it has started.
///
/// `None` if it is not set: the test that asks is skipped, and standard error says so, past the
/// capture of the test harness.
///
/// # Panics
///
/// If it is not set and `CI` is `true`: there a skipped test is a failed one.
pub fn address(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok().filter(|address| !address.is_empty());
    if address.is_none() {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "{variable} is not set, and in CI no test is skipped");
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        // a message that can't be written is no fault of the test
        let _ = writeln!(std::io::stderr(), "skipped: {test}, because {variable} is not set");
    }
    address
}
