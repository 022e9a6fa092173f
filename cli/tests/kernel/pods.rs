//! Pods that are network namespaces of their own, as an inventory sees them.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use testkit::{Client, Kind, NODE_ADDRESSES, Node, Pod, Spec};

use crate::world::{NODE, Run, World};

impl World {
    /// The node's network, once in each world.
    pub(crate) fn node(&self) -> Node<'_> {
        Node::new(&self.sandbox).unwrap()
    }

    /// An inventory with this node, these pods, all of them ready, and further objects as they are given.
    pub(crate) fn inventory_of(&self, pods: &[&Pod], more: &str) -> String {
        let [v4, v6] = NODE_ADDRESSES;
        let mut text = format!(
            "apiVersion: v1\nkind: Node\nmetadata: {{name: {NODE}}}\n\
             status: {{addresses: [{{type: InternalIP, address: {v4}}}, {{type: InternalIP, address: \"{v6}\"}}]}}\n"
        );
        for pod in pods {
            let [v4, v6] = pod.addresses;
            let mirror = pod.mirror.as_ref().map_or(String::new(), |hash| {
                format!(", annotations: {{kubernetes.io/config.mirror: \"{hash}\"}}")
            });
            write!(
                text,
                "---\napiVersion: v1\nkind: Pod\n\
                 metadata: {{name: {}, namespace: {}, uid: {}, labels: {{{}}}{mirror}}}\n\
                 spec: {{nodeName: {NODE}, hostNetwork: {}, containers: [{{name: c, ports: [{}]}}]}}\n\
                 status: {{phase: Running, podIP: {v4}, podIPs: [{{ip: {v4}}}, {{ip: \"{v6}\"}}], \
                 conditions: [{{type: Ready, status: \"True\"}}]}}\n",
                pod.name, pod.namespace, pod.uid, pod.labels, pod.host_network, pod.ports
            )
            .unwrap();
        }
        self.file("inventory.yaml", &(text + more)).display().to_string()
    }

    /// Applies an image in a sandbox, whose network namespace is not the machine's first.
    pub(crate) fn apply_here(&self, image: &str, inventory: &str) -> Run {
        self.apply(image, inventory, &["--node-netns", "self"])
    }
}

/// A pod of the namespace `default` with the label `app: NAME`.
pub(crate) fn pod(node: &Node<'_>, name: &str) -> Pod {
    node.pod(Spec { name, labels: &format!("app: {name}"), ..Spec::default() }).unwrap()
}

/// A socket's kind, whether it is connected, and the address of family 4 or 6 that it is told.
pub(crate) type Way = (Kind, bool, usize);

/// Every kind of a redirect: each family, over TCP, by connected datagrams and by those that are not.
pub(crate) const WAYS: [Way; 6] = [
    (Kind::Tcp4, true, 0),
    (Kind::Udp4, true, 0),
    (Kind::Udp4, false, 0),
    (Kind::Tcp6, true, 1),
    (Kind::Udp6, true, 1),
    (Kind::Udp6, false, 1),
];

/// Who answers in one of these ways at a port of these two addresses: the server's name, or the error.
pub(crate) fn who(client: &mut Client, way: Way, addresses: &[String; 2], port: u16) -> String {
    let (kind, connected, family) = way;
    let ip: IpAddr = addresses[family].parse().unwrap();
    let to = SocketAddr::new(ip, port).to_string();
    let mut ask = || {
        let socket = client.socket(kind)?;
        if connected {
            client.connect_socket(socket, &to)?;
        }
        if !connected {
            client.send_to(socket, &to)?;
        } else if matches!(kind, Kind::Udp4 | Kind::Udp6) {
            client.send(socket)?;
        }
        let answer = client.receive(socket)?;
        Ok::<_, std::io::Error>(answer.split(' ').next_back().unwrap_or_default().to_owned())
    };
    ask().unwrap_or_else(|error| error.to_string())
}

/// What a refused call says.
pub(crate) const REFUSED: &str = "Operation not permitted (os error 1)";
