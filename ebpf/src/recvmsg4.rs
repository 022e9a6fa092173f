//! `cgroup/recvmsg4`: who sent a datagram that an IPv4 socket received.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::recvmsg::recvmsg;

use crate::answer::DONE;
use crate::context::Context;

#[cgroup_sock_addr(recvmsg4)]
fn recvmsg4(context: SockAddrContext) -> i32 {
    let context = Context::new(&context);
    if let Some(frontend) = recvmsg(&context, context.destination4()) {
        context.set_destination4(frontend);
    }
    DONE
}
