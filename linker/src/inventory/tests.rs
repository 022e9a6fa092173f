use serde_json::json;

use super::*;

const YAML: &str = r#"
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: a
    namespace: default
    uid: 7e0e8d2e-0000-4000-8000-000000000001
    labels: {app: x, version: "1.10"}
    managedFields: [{manager: kubectl, fieldsV1: {"f:metadata": {}}}]
  spec:
    nodeName: n1
    containers:
    - name: main
      ports:
      - {containerPort: 53, name: dns, protocol: UDP}
      - {containerPort: 8080}
      - {containerPort: 38412, protocol: SCTP}
  status:
    phase: Running
    conditions:
    - {type: Initialized, status: "True"}
    - {type: Ready, status: "True"}
    podIP: 10.0.0.1
    podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: c, namespace: default}
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: default}
spec:
  type: ClusterIP
  clusterIP: 10.96.0.1
  clusterIPs: [10.96.0.1]
  ports:
  - {port: 53, protocol: UDP, targetPort: dns, name: dns}
  - {port: 80}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {pool: blue}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}, {type: Hostname, address: n1}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
"#;

/// What texts hold, as files of their own.
fn gather(texts: &[&str]) -> Builder {
    let mut builder = Builder::default();
    for (number, text) in texts.iter().enumerate() {
        builder.add(&format!("file{number}"), text).unwrap();
    }
    builder
}

fn read(texts: &[&str]) -> Inventory {
    gather(texts).build()
}

fn problems(builder: &Builder) -> Vec<String> {
    builder.problems().iter().map(ToString::to_string).collect()
}

fn pods(inventory: &Inventory) -> Vec<&Pod> {
    inventory.pods().collect()
}

#[test]
fn a_dump_in_yaml() {
    let gathered = gather(&[YAML]);
    assert_eq!((problems(&gathered), gathered.ignored()), (vec![], 1));
    let inventory = gathered.build();
    let pod = pods(&inventory)[0];
    assert_eq!(pod.reference.to_string(), "default/a");
    assert_eq!(pod.reference.uid.as_deref(), Some("7e0e8d2e-0000-4000-8000-000000000001"));
    assert_eq!(pod.labels["version"], "1.10");
    assert!(pod.ready && !pod.terminating && !pod.finished && !pod.host_network);
    assert_eq!(pod.addresses, ["10.0.0.1", "fd00::1"].map(|ip| ip.parse().unwrap()));
    let ports: Vec<_> =
        pod.ports.iter().flatten().map(|port| (port.port.get(), port.name.as_deref())).collect();
    assert_eq!(ports, [(53, Some("dns")), (8080, None)]);
    let service = inventory.service("default", "s").unwrap();
    assert_eq!(service.ports[0].target, TargetPort::Name("dns".into()));
    assert_eq!(service.ports[1].target, TargetPort::Number(service.ports[1].port));
    assert_eq!(inventory.node("n1").unwrap().addresses.len(), 1);
    assert_eq!(inventory.namespaces().collect::<Vec<_>>(), ["default"]);
    assert_eq!(inventory.pods_on("n1", "default").count(), 1);
    assert_eq!(inventory.pods_on("n1", "other").count(), 0);
    assert_eq!(inventory.pods_on("n2", "default").count(), 0);
}

/// The same objects, whatever form the dump has.
#[test]
fn every_form_of_a_dump() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "default"}});
    let bare = r#"{"metadata":{"name":"a","namespace":"default"}}"#;
    let expected = read(&[&pod.to_string()]);
    for (form, text) in [
        ("list", json!({"apiVersion": "v1", "kind": "List", "items": [pod]}).to_string()),
        ("kubectl's order", format!(r#"{{"apiVersion":"v1","items":[{pod}],"kind":"List"}}"#)),
        ("kind before version", format!(r#"{{"kind":"PodList","items":[{bare}],"apiVersion":"v1"}}"#)),
        ("typed list", format!(r#"{{"kind":"PodList","apiVersion":"v1","items":[{bare}]}}"#)),
        ("typed list, sorted", format!(r#"{{"apiVersion":"v1","items":[{bare}],"kind":"PodList"}}"#)),
        (
            "typed list in YAML",
            "apiVersion: v1\nitems:\n- metadata:\n    name: a\n    namespace: default\nkind: PodList\n"
                .into(),
        ),
        (
            "list of lists",
            format!(r#"{{"apiVersion":"v1","items":[{{"items":[{bare}],"kind":"PodList"}}],"kind":"List"}}"#),
        ),
        ("array", json!([pod]).to_string()),
        ("array of lists", format!(r#"[{{"items":[{bare}],"kind":"PodList"}}]"#)),
        ("values", format!("{{\"kind\":\"List\",\"items\":null}}\n{pod}")),
        (
            "JSON, then YAML",
            "{\n\"kind\": \"Other\"}\n---\nkind: Pod\nmetadata: {name: a, namespace: default}\n".into(),
        ),
        (
            "flow style, then YAML",
            "{kind: Other}\n---\nkind: Pod\nmetadata: {name: a, namespace: default}\n".into(),
        ),
        ("YAML, then JSON values", format!("kind: Other\n---\n{{}}\n{pod}\n")),
        ("documents", format!("\n{pod}\n")),
        ("byte order mark", format!("\u{feff}  {pod}")),
        ("YAML around JSON", format!("---\n{pod}\n---\n")),
        (
            "YAML with a mark",
            "\u{feff}apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: default}\n".into(),
        ),
        ("CRLF", "apiVersion: v1\r\nkind: Pod\r\nmetadata: {name: a, namespace: default}\r\n".into()),
    ] {
        let gathered = gather(&[&text]);
        assert_eq!(problems(&gathered), Vec::<String>::new(), "{form}");
        assert_eq!(pods(&gathered.build()), pods(&expected), "{form}");
    }
    assert_eq!(read(&["", "# nothing\n", "---\n---\n"]).pods().len(), 0);
}

/// What has lost its end is no smaller cluster: refused with the line at which it begins.
#[test]
fn a_dump_that_was_cut_off() {
    for (text, refused) in [
        ("apiVersion: v1\nitems:\n- {apiVersion: v1, kind: Node, metadata: {name: n1}}\n", "list at line 1"),
        ("apiVersion: v1\nitems: []\n", "list at line 1"),
        ("apiVersion: v1\nitems:\n- {kind: Node, metadata: {name: n1}}\nkind: Li\n", "list at line 1"),
        ("apiVersion: v1\nitems:\n- {kind: Node, metadata: {name: n1}}\nkind:\n", "list at line 1"),
        ("apiVersion: v1\n", "object at line 1"),
        ("kind: Other\n---\napiVersion: v1\nitems:\n- metadata: {name: n1}\n", "list at line 3"),
        ("apiVersion: v1\nitems:\n- apiVersion: v1\n  items: []\nkind: List\n", "list at line 1"),
        (r#"{"apiVersion": "v1", "items": []}"#, "list at line 1"),
    ] {
        let error = Builder::default().add("dump", text).unwrap_err().to_string();
        assert_eq!(error, format!("dump: the {refused} was cut off: it has no `kind`"), "{text}");
    }
}

/// A page of a list that goes on, as `kubectl get --raw` with a limit prints it, is no whole list; what is no list of
/// ours, and a list whose last page it is, are read.
#[test]
fn a_page_of_a_list_is_not_the_list() {
    let page = |kind: &str, metadata: &str| {
        let text = format!(
            "{{apiVersion: v1, kind: {kind}, metadata: {metadata}, items: [{{metadata: {{name: n1}}}}]}}"
        );
        Builder::default().add("dump", &text).map_err(|error| error.to_string())
    };
    let refused = "dump: the list at line 1 is one page of several: its `metadata` says that it goes on";
    for metadata in ["{continue: eyJ2}", "{remainingItemCount: 12}"] {
        assert_eq!(page("NodeList", metadata), Err(refused.to_owned()), "{metadata}");
    }
    for metadata in ["{continue: \"\"}", "{remainingItemCount: 0}", "{resourceVersion: \"7\"}", "null"] {
        assert_eq!(page("NodeList", metadata), Ok(()), "{metadata}");
    }
    let other =
        r#"{"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {"continue": "x"}, "items": []}"#;
    assert!(Builder::default().add("dump", other).is_ok());
}

/// What was meant to count and does not is named; what never was is not.
#[test]
fn an_object_whose_kind_is_lost() {
    for (text, named) in [
        (
            "metadata: {name: a, namespace: b}\nspec: {}\n",
            Some("object `b/a` in `file0` is skipped: it has no `kind`"),
        ),
        (
            "{apiVersion: v1, kind: pod, metadata: {name: a, namespace: b}}\n",
            Some("pod `b/a` in `file0` is skipped: its kind is `pod`, where `Pod` is meant"),
        ),
        (
            "{apiVersion: v1, kind: Nodes, metadata: {name: a}}\n",
            Some("Nodes `a` in `file0` is skipped: its kind is `Nodes`, where `Node` is meant"),
        ),
        ("{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}}\n", None),
        ("{apiVersion: metrics.k8s.io/v1, kind: pods, metadata: {name: a}}\n", None),
        ("{apiVersion: v1, kind: PodTemplate, metadata: {name: a}}\n", None),
        ("values: {metadata: 7}\n", None),
    ] {
        assert_eq!(problems(&gather(&[text])), named.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

/// Elements that nothing says the kind of are named; those of another group are not ours.
#[test]
fn elements_without_a_kind() {
    let named = "an element of a list in `file0` is skipped: it has no `kind`, and the list names none";
    for (text, found) in [
        ("kind: List\nitems:\n- metadata: {name: n1}\n", (vec![named], 0)),
        ("items:\n- metadata: {name: n1}\nkind: List\n", (vec![named], 0)),
        ("- metadata: {name: n1}\n", (vec![named], 0)),
        ("kind: List\nitems: [7]\n", (vec![named], 0)),
        (
            "items:\n- metadata: {name: n1}\nkind: ServiceList\napiVersion: serving.knative.dev/v1\n",
            (vec![], 1),
        ),
        ("apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: n1}\n", (vec![], 1)),
        ("items:\n- metadata: {name: n1}\nkind: ConfigMapList\n", (vec![], 1)),
        ("apiVersion: example.com/v1\nitems: [1]\nkind: Menu\n", (vec![], 1)),
        ("just: a map\n", (vec![], 1)),
    ] {
        let gathered = gather(&[text]);
        let problems = problems(&gathered);
        let problems: Vec<&str> = problems.iter().map(String::as_str).collect();
        assert_eq!((problems, gathered.ignored()), found, "{text}");
    }
}

/// A broken object is named and skipped, in the words of Kubernetes; those around it are kept.
#[test]
fn broken_objects_are_named() {
    let text = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: default}, spec: {containers: [{ports: [{containerPort: 0}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: default, labels: [x]}}
- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: default, labels: {x: 1}}}
- {apiVersion: v1, kind: Pod, metadata: {name: c, namespace: default}, spec: {containers: [{}, {ports: [{containerPort: http}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: d, namespace: default}, spec: {containers: [{ports: [{name: http}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: e, namespace: default}, spec: {containers: {ports: []}}}
- {apiVersion: v1, kind: Pod, metadata: {name: f, namespace: default}, status: {conditions: [{type: Ready, status: true}]}}
- {apiVersion: v1, kind: Pod, metadata: {namespace: default}}
- {apiVersion: v1, kind: Pod, metadata: {name: c}}
- {apiVersion: v1, kind: Pod}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: {ports: [{port: 70000}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: {ports: [{port: 1, targetPort: -1}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: {ports: [{port: 1, nodePort: x}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: text}
- {apiVersion: v1, kind: Node, metadata: {name: ""}}
- {apiVersion: v1, kind: Node, metadata: {name: n1}}
"#;
    let gathered = gather(&[text]);
    assert_eq!(
        problems(&gathered),
        [
            "Pod `default/a` in `file0` is skipped: `spec.containers[0].ports[0].containerPort` is 0, which is no port",
            "Pod `default/b` in `file0` is skipped: `metadata.labels` is not an object",
            "Pod `default/b` in `file0` is skipped: `metadata.labels.x` is not a string",
            "Pod `default/c` in `file0` is skipped: `spec.containers[1].ports[0].containerPort` is not a number",
            "Pod `default/d` in `file0` is skipped: `spec.containers[0].ports[0].containerPort` is missing",
            "Pod `default/e` in `file0` is skipped: `spec.containers` is not a list",
            "Pod `default/f` in `file0` is skipped: `status.conditions[0].status` is not a string",
            "a Pod of namespace `default` in `file0` is skipped: `metadata.name` is missing",
            "Pod `c` in `file0` is skipped: `metadata.namespace` is missing",
            "a Pod in `file0` is skipped: `metadata` is missing",
            "Service `default/s` in `file0` is skipped: `spec.ports[0].port` is 70000, which is no port",
            "Service `default/s` in `file0` is skipped: `spec.ports[0].targetPort` is -1, which is no port",
            "Service `default/s` in `file0` is skipped: `spec.ports[0].nodePort` is not a number",
            "Service `default/s` in `file0` is skipped: `spec` is not an object",
            "a Node in `file0` is skipped: `metadata.name` is missing",
        ]
    );
    assert_eq!(gathered.build().nodes().len(), 1);
}

/// Of two versions of one object the newer counts, of two that cannot be told apart the later; one line a
/// file says how many they are.
#[test]
fn one_name_twice() {
    let pod = |node: &str, uid: &str, version: &str| {
        let metadata = json!({"name": "a", "namespace": "d", "uid": uid, "resourceVersion": version});
        json!({"kind": "Pod", "metadata": metadata, "spec": {"nodeName": node}}).to_string()
    };
    let (old, new) = (pod("n1", "u", "99"), pod("n2", "u", "900"));
    for (first, second, node, help) in [
        (
            &old,
            &new,
            "n2",
            "Pod `d/a` differs in its `resourceVersion`: the newer counts\nleave one of the dumps out",
        ),
        (
            &new,
            &old,
            "n2",
            "Pod `d/a` differs in its `resourceVersion`: the newer counts\nleave one of the dumps out",
        ),
        (&old, &old, "n1", "nothing that lrpc reads differs; leave one of the dumps out"),
        (
            &new,
            &pod("n1", "v", "99"),
            "n1",
            "Pod `d/a` differs, and no `resourceVersion` says which is newer: the later counts\nleave one of the dumps out",
        ),
        (
            &new,
            &pod("n1", "u", ""),
            "n1",
            "Pod `d/a` differs, and no `resourceVersion` says which is newer: the later counts\nleave one of the dumps out",
        ),
        (
            &new,
            &pod("n1", "u", "900"),
            "n1",
            "Pod `d/a` differs, and no `resourceVersion` says which is newer: the later counts\nleave one of the dumps out",
        ),
    ] {
        let gathered = gather(&[first, second]);
        let found = gathered.problems();
        assert_eq!(problems(&gathered), ["`file1` gives Pod `d/a` again"]);
        assert_eq!(found[0].diagnostic::<()>().help.unwrap(), help);
        assert_eq!(pods(&gathered.build())[0].node.as_deref(), Some(node), "{first} {second}");
    }
    let gathered = gather(&[YAML, YAML, &format!("{old}\n{new}")]);
    assert_eq!(
        problems(&gathered),
        ["`file1` gives 3 objects again, the first is Pod `default/a`", "`file2` gives Pod `d/a` again"]
    );
}

/// A store follows a watch: what comes late is not taken for new, and a snapshot stays as it was.
#[test]
fn a_store_is_kept_up_to_date() {
    let node = |name: &str, version, address: &str| {
        let addresses = vec![address.parse().unwrap()];
        let node = Node { name: name.into(), labels: Labels::new(), addresses };
        Object::Node(node, Revision { uid: Some("u".into()), version: Some(version) })
    };
    let mut store = Store::default();
    assert_eq!(store.upsert(node("n1", 1, "192.0.2.1")), Met::Nothing);
    let before = store.snapshot();
    assert_eq!(store.upsert(node("n1", 3, "192.0.2.3")), Met::Older);
    assert_eq!(store.upsert(node("n1", 2, "192.0.2.2")), Met::Newer);
    assert_eq!(store.upsert(node("n1", 4, "192.0.2.3")), Met::Same);
    assert_eq!(store.upsert(node("n1", 3, "192.0.2.9")), Met::Newer);
    assert_eq!(store.upsert(Object::Namespace("a".into())), Met::Nothing);
    let address = |inventory: &Inventory| inventory.node("n1").unwrap().addresses[0].to_string();
    assert_eq!((address(&before), address(&store.snapshot())), ("192.0.2.1".into(), "192.0.2.3".into()));
    assert!(store.remove(&Key::Node("n1".into())) && store.remove(&Key::Namespace("a".into())));
    assert!(!store.remove(&Key::Node("n1".into())));
    assert!(!store.remove(&Key::Pod("d".into(), "a".into())));
    assert_eq!((store.snapshot().nodes().len(), before.nodes().len()), (0, 1));
}

/// What is no dump is refused with its place; documents around a wrong one are kept.
#[test]
fn text_that_is_no_dump() {
    let refused = |text: &str| {
        let mut builder = Builder::default();
        let error = builder.add("dump", text).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        (builder.build(), error.to_string(), source)
    };
    let (_, message, place) = refused("{\"kind\": \"List\",\n \"items\": [}");
    assert_eq!(message, "dump: not JSON that holds Kubernetes objects");
    assert!(place.contains("line 2"), "{place}");
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n";
    let (inventory, message, place) = refused(&format!("{node}---\na: [\n"));
    assert_eq!(
        (inventory.nodes().len(), message.as_str()),
        (1, "dump: not YAML that holds Kubernetes objects")
    );
    assert!(place.contains("line 5"), "{place}");
    let (_, _, place) = refused(&format!("{node}---\n{{\"a\":\n 1,}}"));
    assert!(place.ends_with(" at line 6, column 4"), "{place}");
    let (inventory, _, _) = refused(&format!("just text\n---\n{node}"));
    assert_eq!(inventory.nodes().len(), 1);
}

/// Kinds of other groups share names with ours and are none.
#[test]
fn other_groups_are_ignored() {
    let gathered =
        gather(&["apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s, namespace: d}\n"]);
    assert_eq!((gathered.ignored(), gathered.build().services().len()), (1, 0));
}
