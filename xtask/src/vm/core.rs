//! Which tests of the kernel suite are run on older kernels: one for whatever asks something of a kernel that it
//! might not have, and none that takes long under emulation.

/// A package with a test binary `kernel`, and tests of it.
pub(super) const CORE: [(&str, &[&str]); 2] = [
    (
        "lrpc-loader",
        &[
            "the_verifier_is_done_with_each_program_soon",
            "each_kernel_has_what_the_page_says",
            "apply_rollback_unload",
            "slots_are_reused_and_numbers_are_not",
            "tables_may_be_empty_or_large",
            "an_exclusive_program_on_any_hook_is_refused_by_name",
            "an_override_program_above_is_refused",
            "ours_run_behind_where_no_order_is_known",
            "ours_are_no_neighbours",
            "a_missing_link_is_noticed_and_mended",
            "a_foreign_link_is_noticed_and_mended",
            "a_changed_slot_is_noticed",
            "a_published_table_cannot_be_written",
            "maps_of_another_shape_are_refused",
        ],
    ),
    (
        "lrpc",
        &[
            "two_capabilities_suffice",
            "the_guides_address_example",
            "connected_udp_is_redirected",
            "l05_drop_refuses_connects",
            "several_backends_share_the_connects",
            "nothing_is_left_out",
            "a_miss_forgets_the_frontend_before_it",
            "l06_each_value_chooses_its_clients",
            "l08_an_agent_is_found_wherever_the_kubelet_puts_it",
            "getpeername_says_the_frontend_across_swaps",
            "rollback_is_one_flip",
            "verify_compares_with_an_image",
            "unload_leaves_nothing",
        ],
    ),
];

/// Tests of what only newer kernels have, with the first release that has it. Sandboxes are not in the initial network
/// namespace, so pods are told from their node by `--node-netns self`.
const SINCE: [(&str, (u32, u32)); 2] = [
    ("l06_each_value_chooses_its_clients", (5, 14)),
    ("l08_an_agent_is_found_wherever_the_kubelet_puts_it", (5, 14)),
];

/// Whether a test is one for a kernel.
pub(super) fn is_for(test: &str, release: (u32, u32)) -> bool {
    SINCE.iter().all(|(name, since)| *name != test || *since <= release)
}
