//! `cgroup/sendmsg6`: a datagram that names an IPv6 address.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use lrpc_ebpf::connect::Verdict;
use lrpc_ebpf::sendmsg::sendmsg;

use crate::answer::{ALLOW, REFUSE, is_udp};
use crate::context::Context;

#[cgroup_sock_addr(sendmsg6)]
fn sendmsg6(context: SockAddrContext) -> i32 {
    let context = Context::new(&context);
    if !is_udp(&context) {
        return ALLOW;
    }
    match sendmsg(&context, context.destination6()) {
        Verdict::Pass => ALLOW,
        Verdict::Redirect(backend) => {
            context.set_destination6(backend);
            ALLOW
        }
        Verdict::Refuse(_) => REFUSE,
    }
}
