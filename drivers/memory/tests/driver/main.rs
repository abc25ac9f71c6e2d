//! The memory driver through the driver's interface, with models that are built at run time.

#[cfg(test)]
mod capabilities;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod constraints;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod references;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod upserts;
