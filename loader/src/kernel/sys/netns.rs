//! The network namespace of this process.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use super::{SysError, gate};

/// The cookie of the network namespace that this process is in, as programs see it (Linux 5.14 and newer).
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
