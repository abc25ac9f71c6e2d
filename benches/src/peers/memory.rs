//! Ommi's own database in memory, beside which there is no raw driver.

use std::rc::Rc;

use lanes::data::{USERS, User};
use lanes::{Run, Runner};
use tokio::runtime::Runtime;

use super::Store;
use super::model;
use super::ommi::Ommi;

/// A database in memory with tables and rows.
pub struct Memory {
    one: Rc<Runtime>,
    ommi: Ommi,
}

impl Memory {
    /// Makes it.
    pub fn create() -> Self {
        let one = Rc::new(crate::one_thread());
        let ommi = one.block_on(Ommi::fill("memory:", USERS));
        Memory { one, ommi }
    }
}

impl Store for Memory {
    fn address(&self) -> String {
        "memory:".into()
    }

    fn version(&mut self) -> String {
        "the database in memory".into()
    }

    fn lanes(&mut self) -> Vec<Box<dyn Run>> {
        let many = Rc::new(lanes::tasks());
        vec![Runner::boxed("Ommi", (&self.one, self.ommi.clone()), (&many, self.ommi.clone()))]
    }

    fn users(&mut self, keys: &[i64]) -> Vec<User> {
        let users = self.one.block_on(self.ommi.0.get_many::<model::User, i64>(keys.iter().copied()));
        users.expect("users").into_iter().map(Into::into).collect()
    }

    fn clean(&mut self) {
        let rows = self.ommi.0.find(model::User::ID.gt(USERS));
        self.one.block_on(rows.delete()).expect("a deletion");
    }
}
