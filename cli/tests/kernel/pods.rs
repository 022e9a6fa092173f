//! Pods that are network namespaces of their own, as an inventory sees them.

use std::fmt::Write as _;

use testkit::{Client, NODE_ADDRESSES, Node, Pod, Spec};

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
                 spec: {{nodeName: {NODE}, hostNetwork: {}, containers: [{{name: c}}]}}\n\
                 status: {{phase: Running, podIP: {v4}, podIPs: [{{ip: {v4}}}, {{ip: \"{v6}\"}}], \
                 conditions: [{{type: Ready, status: \"True\"}}]}}\n",
                pod.name, pod.namespace, pod.uid, pod.labels, pod.host_network
            )
            .unwrap();
        }
        self.file("inventory.yaml", &(text + more)).display().to_string()
    }

    /// Applies an image in a sandbox, whose network namespace is not the machine's first.
    pub(crate) fn apply_here(&self, image: &str, inventory: &str) -> Run {
        self.apply(image, inventory, &[])
    }
}

/// A pod of the namespace `default` with the label `app: NAME`.
pub(crate) fn pod(node: &Node<'_>, name: &str) -> Pod {
    node.pod(Spec { name, labels: &format!("app: {name}"), ..Spec::default() }).unwrap()
}

/// Who answers a client: the server's name, or the error.
pub(crate) fn who(client: &mut Client, protocol: &str, address: &str) -> String {
    client.connect(protocol, address).map_or_else(|error| error.to_string(), |answer| answer.name)
}
