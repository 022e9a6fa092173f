//! `cgroup/recvmsg6`: who sent a datagram that an IPv6 socket received, over IPv4 too.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::recvmsg::recvmsg;

use crate::answer::DONE;
use crate::context::Context;

#[cgroup_sock_addr(recvmsg6)]
fn recvmsg6(context: SockAddrContext) -> i32 {
    let context = Context::new(&context);
    if let Some(frontend) = recvmsg(&context, context.destination6()) {
        context.set_destination6(frontend);
    }
    DONE
}
