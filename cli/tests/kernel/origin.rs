//! `lrpc origin`: a backend knows the client's end of what it has accepted, and asks who and what stands behind it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Pod, Spec};

use crate::Test;
use crate::pods::pod;
use crate::world::{GUIDE, World, address_policy, guide_policy};

pub(crate) const TESTS: &[Test] =
    &[("an_accepted_connection_leads_to_its_pod_and_destination", an_accepted_connection_leads_to_its_pod)];

const DNS: &str = "169.254.20.10:53";

/// A backend that says who it is, and tells the test whom it has accepted. Connections stay open.
fn backend(proxy: &Pod) -> Receiver<(SocketAddr, Option<TcpStream>)> {
    let address = proxy.addresses[0];
    let bound =
        proxy.inside(|| (TcpListener::bind((address, 80)), UdpSocket::bind((address, 5353)))).unwrap();
    let (tcp, udp) = (bound.0.unwrap(), bound.1.unwrap());
    let (accepted, whom) = channel();
    let heard = accepted.clone();
    // The threads end with the test's process, or once nobody listens.
    thread::spawn(move || {
        for mut stream in tcp.incoming().flatten() {
            stream.write_all(b"backend").unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            if accepted.send((stream.peer_addr().unwrap(), Some(stream))).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        while let Ok((_, client)) = udp.recv_from(&mut [0; 64]) {
            udp.send_to(b"backend", client).unwrap();
            if heard.send((client, None)).is_err() {
                return;
            }
        }
    });
    whom
}

fn an_accepted_connection_leads_to_its_pod() {
    let world = World::new();
    let node = world.node();
    let ports = "{containerPort: 80, protocol: TCP}, {containerPort: 5353, protocol: UDP}";
    let proxy = node.pod(Spec { name: "proxy", labels: "app: proxy", ports, ..Spec::default() }).unwrap();
    let (shop, stranger) = (pod(&node, "shop"), pod(&node, "stranger"));
    let accepted = backend(&proxy);
    let guide = guide_policy(80)
        .replace("annotations: {}", r#"annotations: {lrpc.dev/clients: "selector:app=shop"}"#);
    let dns = address_policy("dns", ("169.254.20.10", 53, "UDP"), 5353, "");
    let image = world.image("both", &format!("{guide}---\n{dns}"));
    world.apply_here(&image, &world.inventory_of(&[&proxy, &shop, &stranger], "")).ends(0);

    // Each client holds its connection while it is asked about.
    let ask = |from: &Pod, protocol: &str, to: &str| -> (String, Value) {
        let mut client = from.client().unwrap();
        assert_eq!(client.connect(protocol, to).unwrap().name, "backend");
        let (end, _held) = accepted.recv_timeout(Duration::from_secs(20)).unwrap();
        let end = end.to_string();
        let human = world.lrpc(&["origin", &end]).ends(0).stdout;
        let found = world.lrpc(&["origin", &end, "--format", "json"]).ends(0).json();
        assert_eq!(found["troubles"], json!([]));
        assert_eq!(found["origins"].as_array().unwrap().len(), 1, "{found}");
        let origin = &found["origins"][0];
        assert_eq!((&origin["client"], &origin["pod_uid"]), (&json!(end), &json!(from.uid)));
        let cgroup = from.cgroup().display().to_string();
        assert_eq!(
            (&origin["protocol"], &origin["cgroup"]),
            (&json!(protocol.to_uppercase()), &json!(cgroup))
        );
        (human, origin.clone())
    };
    let address = proxy.addresses[0];
    let (human, origin) = ask(&shop, "tcp", GUIDE);
    assert_eq!(
        (&origin["frontend"], &origin["policy"], &origin["pod"]),
        (&json!("169.254.169.254:8080/TCP"), &json!("default/metadata"), &json!("default/shop"))
    );
    assert_eq!(origin["backend"], format!("{address}:80"));
    let expected =
        format!("pod default/shop  asked for {GUIDE}/TCP (policy default/metadata) and got {address}:80\n");
    assert!(human.ends_with(&expected), "{human}");

    let (_, origin) = ask(&shop, "udp", DNS);
    assert_eq!(
        (&origin["frontend"], &origin["policy"]),
        (&json!("169.254.20.10:53/UDP"), &json!("default/dns"))
    );
    // The set does not name every pod of the node.
    let (human, origin) = ask(&stranger, "udp", DNS);
    assert_eq!((&origin["pod"], &origin["policy"]), (&Value::Null, &json!("default/dns")));
    assert!(human.contains(&format!("pod with UID {}", stranger.uid)), "{human}");
    // Who went straight to the backend asked for nothing else.
    let (_, origin) = ask(&stranger, "tcp", &format!("{address}:80"));
    assert_eq!((&origin["frontend"], &origin["policy"]), (&Value::Null, &Value::Null));

    let nobody = world.lrpc(&["origin", "10.0.0.1:1", "--format", "json"]).ends(1).json();
    assert_eq!(nobody, json!({"origins": [], "troubles": []}));
    world.lrpc(&["unload"]).ends(0);
    world.lrpc(&["origin", "10.0.0.1:1"]).ends(2);
}
