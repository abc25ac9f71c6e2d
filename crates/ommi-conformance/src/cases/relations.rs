//! Relations as programs see them: fields that lead to related rows, and what is asked of them.
//!
//! How filters and values go across models as data is the subject of [`super::related`].

pub(super) mod across;
pub(super) mod attached;
pub(super) mod eager;
pub(super) mod lazy;
mod library;
pub(super) mod shapes;
pub(super) mod writes;
