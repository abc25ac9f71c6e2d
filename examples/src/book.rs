//! The README and the chapters of the book, whose samples are compiled and run as documentation
//! tests.

macro_rules! chapters {
    ($($name:ident = $file:literal;)*) => { $(
        #[doc = include_str!(concat!("../../", $file))]
        mod $name {}
    )* };
}

chapters! {
    readme = "README.md";
    introduction = "docs/introduction.md";
    getting_started = "docs/getting-started.md";
    models = "docs/models.md";
    queries = "docs/queries.md";
    relations = "docs/relations.md";
    writes = "docs/writes.md";
    transactions = "docs/transactions.md";
    raw = "docs/raw.md";
    schema = "docs/schema.md";
    errors = "docs/errors.md";
    contract = "docs/contract.md";
    plans = "docs/plans.md";
    sqlite = "docs/sqlite.md";
    mongodb = "docs/mongodb.md";
    postgres = "docs/postgres.md";
    memory = "docs/memory.md";
    layers = "docs/layers.md";
    testing = "docs/testing.md";
    drivers = "docs/drivers.md";
    conformance = "docs/conformance.md";
    architecture = "docs/architecture.md";
    performance = "docs/performance.md";
}
