//! Network namespaces that are held by a descriptor, so that no name of theirs is left behind.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::thread;

use rustix::thread::{LinkNameSpaceType, UnshareFlags};

use crate::ip::{self, ip};

/// A network namespace. It lives as long as this value, and as processes, sockets and threads in it.
#[derive(Debug)]
pub struct Netns(OwnedFd);

impl Netns {
    /// Makes an empty one, whose loopback interface is up.
    ///
    /// # Errors
    /// Without the rights (root), without `ip`.
    pub fn new() -> io::Result<Self> {
        in_a_thread(|| {
            #[expect(
                deprecated,
                reason = "files and signals are not unshared, which is what makes it unsafe"
            )]
            rustix::thread::unshare(UnshareFlags::NEWNET)?;
            ip(&["link", "set", "lo", "up"])?;
            Ok(Self(File::open("/proc/thread-self/ns/net")?.into()))
        })?
    }

    /// Does something in the namespace. Threads and processes that are started meanwhile stay in it.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> io::Result<T> {
        in_a_thread(|| {
            rustix::thread::move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(act())
        })?
    }

    /// Connects this namespace's interface `eth0` with the bridge of the calling thread's namespace, by a
    /// pair whose other end is called `outside`.
    pub(crate) fn plug_into(&self, bridge: &str, outside: &str, inside: &[String]) -> io::Result<()> {
        let name = format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd());
        ip::batch(&[
            format!("link add {outside} type veth peer name eth0 netns {name}"),
            format!("link set {outside} master {bridge} up"),
        ])?;
        self.inside(|| ip::batch(inside))?
    }
}

fn in_a_thread<T: Send>(act: impl FnOnce() -> io::Result<T> + Send) -> io::Result<io::Result<T>> {
    thread::scope(|scope| scope.spawn(act).join().map_err(|_| io::Error::other("the thread panicked")))
}
