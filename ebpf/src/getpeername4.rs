//! `cgroup/getpeername4`: the peer of a redirected socket, as the program that made it sees it.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::getpeername::getpeername;

use crate::context::Context;

/// The only answer that the kernel accepts from this hook.
const DONE: i32 = 1;

#[cgroup_sock_addr(getpeername4)]
fn getpeername4(context: SockAddrContext) -> i32 {
    let context = Context::new(&context);
    if let Some(frontend) = getpeername(&context, context.destination()) {
        context.set_destination(frontend);
    }
    DONE
}
