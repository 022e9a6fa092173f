//! `cgroup/getpeername6`: the peer of a redirected IPv6 socket, as the program that made it sees it.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::getpeername::getpeername;

use crate::answer::DONE;
use crate::context::Context;

#[cgroup_sock_addr(getpeername6)]
fn getpeername6(context: SockAddrContext) -> i32 {
    let context = Context::new(&context);
    if let Some(frontend) = getpeername(&context, context.destination6()) {
        context.set_destination6(frontend);
    }
    DONE
}
