//! The network namespace of this thread, and how it is told from others.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use super::{SysError, gate};

/// The cookie of the network namespace that this thread is in, as programs see it (Linux 5.14 and newer).
pub(crate) fn own_cookie() -> Result<u64, SysError> {
    let fail = |error| {
        SysError::new("asking for the cookie of this network namespace", "getsockopt(SO_NETNS_COOKIE)", error)
    };
    gate::enter("getsockopt(2)").map_err(fail)?;
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(fail)?;
    let (mut cookie, mut length) = (0_u64, libc::socklen_t::try_from(size_of::<u64>()).unwrap_or_default());
    // SAFETY: `cookie` has the `length` bytes that the option takes, and both live through the call.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    if done == 0 { Ok(cookie) } else { Err(fail(std::io::Error::last_os_error())) }
}

const SO_NETNS_COOKIE: libc::c_int = 71;

/// A network namespace, as far as the kernel tells it from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Netns {
    /// Its cookie.
    pub(crate) cookie: Option<u64>,
    /// Whether it is the kernel's initial one, whose cookie is another number on each kernel.
    pub(crate) is_initial: Option<bool>,
}

impl Netns {
    /// That of this thread.
    pub(crate) fn own() -> Self {
        // The limit of the network devices' backlog is one for all of them, and is only to be seen from the initial
        // one; each has its own limit of the listeners' backlog.
        let is_there = |name| {
            let path = format!("/proc/sys/net/core/{name}");
            gate::enter("stat(2)").and_then(|()| std::fs::exists(path)).ok()
        };
        let is_initial = match (is_there("netdev_max_backlog"), is_there("somaxconn")) {
            (Some(is_initial), Some(true)) => Some(is_initial),
            _ => None,
        };
        Self { cookie: own_cookie().ok(), is_initial }
    }
}
