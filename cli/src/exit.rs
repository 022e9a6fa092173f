//! How a command ends: one of three codes, and, where it could not run, the words why.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

/// The exit codes that scripts hold on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitStatus {
    /// Done; for comparisons: the same.
    Done = 0,
    /// Findings, a difference, or a state other than the one asked for.
    Findings = 1,
    /// Could not run: bad usage, unreadable input, or a refusal by the kernel.
    CouldNotRun = 2,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Why a command could not do its work, or did not want to: a headline, what caused it and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    status: ExitStatus,
    message: String,
    causes: Vec<String>,
    help: Option<String>,
}

impl Failure {
    /// A failure that ends with [`ExitStatus::CouldNotRun`].
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { status: ExitStatus::CouldNotRun, message: message.into(), causes: Vec::new(), help: None }
    }

    /// Adds what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the error behind it, and those behind that one.
    pub(crate) fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// Adds something behind it in words of our own.
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Ends with another code.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only the node commands refuse what they could do")
    )]
    pub(crate) fn status(mut self, status: ExitStatus) -> Self {
        self.status = status;
        self
    }

    /// The message with what is behind it, in one line.
    pub(crate) fn message(&self) -> String {
        let causes = self.causes.iter().map(|cause| format!(": {cause}"));
        causes.fold(self.message.clone(), |text, cause| text + &cause)
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The code to end with.
    pub(crate) fn exit_status(&self) -> ExitStatus {
        self.status
    }

    /// The text for standard error.
    pub(crate) fn render(&self) -> String {
        format!("error: {}{}", self.message, self.reasons())
    }

    /// What is said below the headline: a line for each cause, and one for what to do.
    pub(crate) fn reasons(&self) -> String {
        let mut text = String::new();
        for cause in &self.causes {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\n  caused by: {cause}");
        }
        if let Some(help) = &self.help {
            let _ = write!(text, "\n  help: {help}");
        }
        text
    }
}

/// What every command returns.
pub(crate) type Outcome = Result<ExitStatus, Failure>;
