//! `lrpc monitor`: each decision as it is made, with the names behind it where they are known.
//!
//! It reads the instance's pins for a moment at the beginning, and again whenever another generation is active, and
//! holds no lock that a loader waits for in between.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use lrpc_schema::records::Decided;
use rustix::event::{PollFd, PollFlags, poll};
use serde::Serialize;

use super::names::{Names, Owner, shown};
use super::{Error, Node};
use crate::clock;
use crate::kernel::sys::SysError;
use crate::kernel::sys::signals::Signals;
use crate::kernel::watch::Watch;
use crate::probe::is_reserved;

/// A decision. Serialises as a line of `lrpc monitor --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// When it was made, RFC 3339.
    pub time: String,
    /// What became of the connect or datagram: `redirected`, `dropped`, `own` (L8) or `no-client` (L6).
    pub decision: &'static str,
    /// It was only counted, and not done.
    pub audit: bool,
    /// What it was meant for, `ADDR:PORT/PROTO`.
    pub frontend: String,
    /// The policy, `NAMESPACE/NAME`.
    pub policy: Option<String>,
    /// The backend that it went to.
    pub backend: Option<SocketAddr>,
    /// The process, as the node numbers it.
    pub process: u64,
    /// Whose it is.
    #[serde(flatten)]
    pub by: Owner,
    /// How many decisions could not be told before this one was read, since the monitor began.
    pub lost: u64,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A decision.
    Told(Box<Told>),
    /// The monitor ends, and why.
    End(End),
}

/// Why a monitor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its time is up.
    Time,
    /// A signal asked it to.
    Signal,
    /// Nothing is loaded any more.
    Unloaded,
}

/// Holding one proves that decisions are told, and to nobody else.
#[derive(Debug)]
pub struct Monitor<'a> {
    node: &'a Node,
    // Before the signals, so that decisions are told no more once a signal can end the process again.
    watch: Watch,
    signals: Signals,
    /// When it began, by the boot clock.
    began: u64,
    /// How many decisions had been lost until then, and until now.
    lost: [u64; 2],
    /// When it was looked last whether it is to end, and what is lost.
    looked: Instant,
    names: Names,
}

/// How often it is looked whether there still is something to watch, and somebody who wants to.
const PAUSE: Duration = Duration::from_secs(1);

impl Node {
    /// Begins to watch decisions.
    ///
    /// # Errors
    /// Nothing is loaded, somebody else watches, or the kernel refuses.
    pub fn monitor(&self) -> Result<Monitor<'_>, Error> {
        let reader = self.reader()?.ok_or(Error::NothingLoaded)?;
        let mut names = Names::default();
        names.learn(self, &*self.loaded(&reader)?)?;
        let signals = Signals::take()?;
        let began = clock::boot();
        let watch = Watch::begin(&reader)?;
        let lost = watch.lost()?;
        Ok(Monitor { node: self, watch, signals, began, lost: [lost; 2], looked: Instant::now(), names })
    }
}

impl Monitor<'_> {
    /// The next decision, which is waited for until a moment.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn next(&mut self, until: Option<Instant>) -> Result<Next, Error> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Next::End(End::Time));
            }
            // Also where decisions come without end.
            let is_due = self.looked.elapsed() >= PAUSE;
            if !is_due && let Some(decided) = self.heard() {
                return self.told(&decided);
            }
            let pause = if is_due { Duration::ZERO } else { left.unwrap_or(PAUSE).min(PAUSE) };
            if self.wait(pause)? {
                return Ok(Next::End(End::Signal));
            }
            self.looked = Instant::now();
            self.count_lost()?;
            match self.watch.cell()?.generation() {
                Some(active) => self.names.refresh(self.node, active),
                None => match self.heard() {
                    Some(decided) => return self.told(&decided),
                    None => return Ok(Next::End(End::Unloaded)),
                },
            }
        }
    }

    /// The next decision in the ring. What lies there from before was told to somebody else, and what `doctor` asks
    /// the test rows is nobody's business.
    fn heard(&mut self) -> Option<Decided> {
        let Self { began, names, watch, .. } = self;
        let is_somebodys = |frontend| !is_reserved(&frontend) || names.policy(&frontend).is_some();
        std::iter::from_fn(|| watch.take())
            .find(|decided| decided.at() >= *began && is_somebodys(decided.frontend()))
    }

    /// How many decisions could not be told so far, because the ring was full of others.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn lost(&mut self) -> Result<u64, Error> {
        self.count_lost()?;
        let [before, now] = self.lost;
        Ok(now.saturating_sub(before))
    }

    fn count_lost(&mut self) -> Result<(), Error> {
        let [_, now] = &mut self.lost;
        *now = self.watch.lost()?;
        Ok(())
    }

    /// Waits for a decision or a signal; true for a signal.
    fn wait(&self, pause: Duration) -> Result<bool, Error> {
        let pause = pause.try_into().unwrap_or_default();
        let readable = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let mut fds = [readable(self.watch.as_fd()), readable(self.signals.as_fd())];
        rustix::io::retry_on_intr(|| poll(&mut fds, Some(&pause)))
            .map_err(|error| SysError::new("waiting for decisions", "ppoll(2)", error))?;
        let [_, signals] = &fds;
        Ok(!signals.revents().is_empty())
    }

    fn told(&mut self, decided: &Decided) -> Result<Next, Error> {
        let [before, now] = self.lost;
        let frontend = decided.frontend();
        let policy = self.names.policy(&frontend);
        Ok(Next::Told(Box::new(Told {
            time: clock::of_boot(decided.at()),
            decision: decided.fate().map_or("unknown", |fate| fate.as_str()),
            audit: decided.is_audit(),
            frontend: shown(&frontend),
            policy,
            backend: decided.backend().map(|to| SocketAddr::new(to.address(), to.port())),
            process: decided.process(),
            by: self.names.of_cgroup(decided.cgroup())?,
            lost: now.saturating_sub(before),
        })))
    }
}
