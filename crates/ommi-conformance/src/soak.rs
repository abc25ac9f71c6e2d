//! Runs that take long: whether a pool loses something over time, and whether it is fair.

mod churn;
mod fairness;

pub use self::churn::{Churn, ChurnReport};
pub use self::fairness::{Fairness, FairnessReport};
