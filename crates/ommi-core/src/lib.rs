//! The core of Ommi, a portable object model mapper.
//!
//! Programs depend on the crate `ommi`; drivers depend on this one. The modules follow the road
//! that a query takes: [`model`] says what is stored, [`value`] what a field may hold, [`query`]
//! what is asked, [`plan`] who answers it, [`layer`] on which terms, [`driver`] how it is said.
//! [`evaluate`] is the reference for what queries mean.

pub mod db;
pub mod driver;
pub mod error;
pub mod evaluate;
pub mod layer;
pub mod model;
pub mod plan;
pub mod query;
pub mod relation;
pub mod value;

pub use self::db::Db;
pub use self::error::{ConstraintKind, Error, ErrorKind, Result};
pub use self::model::{Model, ModelDef, Models, NoKey};
pub use self::value::Value;
