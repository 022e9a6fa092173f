//! What a hook's program answers.

use lrpc_schema::protocol::Protocol;

use crate::context::Context;

/// Let it go on.
pub(crate) const ALLOW: i32 = 1;
/// Let it fail with EPERM.
pub(crate) const REFUSE: i32 = 0;
/// The only answer that the kernel accepts from a hook that tells an address.
pub(crate) const DONE: i32 = 1;

/// UDP, not UDP-Lite.
#[inline(always)]
pub(crate) fn is_udp(context: &Context) -> bool {
    matches!(Protocol::of_socket(context.protocol()), Some(Protocol::Udp))
}
