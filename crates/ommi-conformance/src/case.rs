//! One case of the suite.

use ommi::Db;
use ommi::driver::{BoxFuture, Capabilities};

use crate::capability::Capability;
use crate::check::Verdict;

/// A piece of behaviour, named as a sentence.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// What it is about.
    pub(crate) subject: &'static str,
    /// What it says.
    pub(crate) name: &'static str,
    /// What it cannot do without.
    pub(crate) needs: &'static [Capability],
    /// Shows it on an empty database.
    pub(crate) run: fn(Db) -> BoxFuture<'static, Verdict>,
}

impl Case {
    /// The first capability that a driver lacks.
    pub(crate) fn missing(&self, capabilities: &Capabilities) -> Option<&'static str> {
        self.needs.iter().find(|needed| !needed.is_in(capabilities)).map(Capability::name)
    }
}

/// Lists the cases of a subject, with the capabilities that each needs.
macro_rules! cases {
    ($subject:literal: $($name:ident $(needs $($capability:ident)+)?,)+) => {
        /// The cases of this subject.
        pub(crate) const CASES: &[$crate::case::Case] = &[$(
            $crate::case::Case {
                subject: $subject,
                name: stringify!($name),
                needs: &[$($($crate::capability::$capability),+)?],
                run: |db| Box::pin($name(db)),
            }
        ),+];
    };
}
