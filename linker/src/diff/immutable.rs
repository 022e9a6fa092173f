//! What the API server refuses to change on one object (L12): lrpc swaps to it all the same, but the manifest
//! can only be applied by deleting the object and making it anew.
//!
//! Fields are compared by meaning. A field that is only spelled otherwise, such as `matchLabels` turned into
//! `matchExpressions`, is refused by the API server too, and no image can tell.

use lrpc_schema::image::Policy;

/// A field that the CRD declares immutable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Immutable {
    /// `spec.redirectFrontend`.
    RedirectFrontend,
    /// `spec.redirectBackend`.
    RedirectBackend,
    /// `spec.skipRedirectFromBackend`.
    SkipRedirectFromBackend,
}

impl Immutable {
    /// The field's name below `spec`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RedirectFrontend => "redirectFrontend",
            Self::RedirectBackend => "redirectBackend",
            Self::SkipRedirectFromBackend => "skipRedirectFromBackend",
        }
    }

    /// The immutable fields in which two versions of one object differ. L15's backend address is an
    /// annotation, which may change.
    pub(super) fn changed(old: &Policy, new: &Policy) -> Vec<Self> {
        let same_backend =
            old.backend.selector == new.backend.selector && old.backend.ports == new.backend.ports;
        let fields = [
            (Self::RedirectFrontend, old.frontend != new.frontend),
            (Self::RedirectBackend, !same_backend),
            (Self::SkipRedirectFromBackend, old.skip != new.skip),
        ];
        fields.into_iter().filter(|(_, changed)| *changed).map(|(field, _)| field).collect()
    }
}
