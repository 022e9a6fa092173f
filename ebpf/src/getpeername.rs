//! Who a redirected socket says it talks to.

use crate::kernel::{Destination, Kernel};

/// The frontend that a socket was connected to (L11), where its peer is still the backend it got instead.
/// A socket whose reconnect failed, or was refused, has one peer and may remember another: it tells the
/// truth.
#[inline(always)]
pub fn getpeername<K: Kernel>(kernel: &K, peer: Destination) -> Option<Destination> {
    let memory = kernel.recall()?;
    (memory.backend() == peer.backend()).then(|| Destination::of_frontend(&memory.frontend()))
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, destination};

    #[test]
    fn l11_a_redirected_socket_tells_its_frontend_whatever_is_active() {
        let mut kernel = Fake::new().remembering("169.254.169.254:8080", "10.244.1.7:80");
        kernel.active = lrpc_schema::records::Cell::EMPTY;
        assert_eq!(kernel.getpeername("10.244.1.7:80"), Some(destination("169.254.169.254:8080")));
    }

    #[test]
    fn a_socket_that_was_never_redirected_tells_its_peer() {
        assert_eq!(Fake::new().getpeername("10.244.1.7:80"), None);
    }

    #[test]
    fn a_memory_of_another_peer_is_not_told() {
        let kernel = Fake::new().remembering("169.254.169.254:8080", "10.244.1.7:80");
        assert_eq!(kernel.getpeername("10.244.1.8:80"), None);
        assert_eq!(kernel.getpeername("10.244.1.7:81"), None);
    }

    #[test]
    fn a_question_changes_no_memory() {
        let kernel = Fake::new().remembering("169.254.169.254:8080", "10.244.1.7:80");
        kernel.getpeername("10.244.1.8:80");
        assert!(kernel.memory().is_some());
    }
}
