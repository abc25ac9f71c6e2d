//! The cases, by subject.

mod aggregates;
mod begin;
mod callbacks;
mod concurrency;
mod constraints;
mod dates;
mod dynamic;
mod embedded;
mod errors;
mod injection;
mod isolation;
mod json;
mod keys;
mod limits;
mod lists;
mod names;
mod null;
mod numbers;
mod order;
mod pages;
mod references;
mod related;
mod relations;
mod retries;
mod schema;
mod streams;
mod text;
mod transactions;
mod upsert;
mod values;
mod versions;
mod writes;

use crate::case::Case;

/// All cases.
pub(crate) fn all() -> impl Iterator<Item = Case> {
    [
        values::CASES,
        null::CASES,
        order::CASES,
        text::CASES,
        numbers::CASES,
        dates::CASES,
        json::CASES,
        lists::CASES,
        keys::CASES,
        writes::CASES,
        upsert::CASES,
        constraints::CASES,
        references::CASES,
        related::CASES,
        relations::across::CASES,
        relations::attached::CASES,
        relations::eager::CASES,
        relations::lazy::CASES,
        relations::shapes::CASES,
        relations::writes::CASES,
        transactions::CASES,
        begin::CASES,
        isolation::CASES,
        retries::CASES,
        callbacks::CASES,
        aggregates::CASES,
        pages::CASES,
        schema::CASES,
        names::CASES,
        versions::CASES,
        embedded::CASES,
        streams::CASES,
        limits::CASES,
        errors::CASES,
        injection::CASES,
        dynamic::CASES,
        concurrency::CASES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
