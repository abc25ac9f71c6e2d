//! What `#[derive(Model)]` and `#[derive(Value)]` make of a struct or an enum.

#![deny(missing_docs, clippy::all, unreachable_pub, rust_2018_idioms, warnings)]

pub mod public {
    //! A model that other crates could use, so that the lints on public items apply.

    /// A public model.
    #[derive(ommi::Model, Clone, Debug)]
    pub struct Open {
        /// The key.
        #[ommi(key)]
        pub id: i64,
        pub(super) secret: String,
        hidden: Option<i64>,
        /// Out of use.
        #[deprecated]
        #[ommi(constant = ANCIENT)]
        pub old: i32,
        /// Where it is.
        #[ommi(embed)]
        pub place: Option<Place>,
    }

    /// A public embedded struct.
    #[derive(ommi::Value, Clone, Debug)]
    pub struct Place {
        /// The town.
        pub town: String,
    }

    /// A public value.
    #[derive(ommi::Value, Clone, Debug)]
    pub enum Side {
        /// Left.
        Left,
    }

    pub(super) fn hidden() -> ommi::Filter<Open> {
        Open::HIDDEN.eq(1)
    }
}

#[cfg(test)]
mod derive {
    mod definitions;
    mod embedded;
    mod hygiene;
    mod rows;
    mod values;

    use ommi::driver::{Encoder, RowEncoder, RowRef};
    use ommi::value::{Cell, Datum};
    use ommi::{Model, Result};

    /// A row that a model is written into and read from.
    #[derive(Debug, Default, PartialEq)]
    pub(crate) struct StoredRow(pub(crate) Vec<Datum>);

    impl Encoder for StoredRow {
        fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
            self.0.push(Datum::from_cell(cell));
            Ok(())
        }
    }

    impl RowRef for StoredRow {
        fn cell(&self, column: usize) -> Result<Cell<'_>> {
            Ok(self.0[column].cell())
        }
    }

    /// The cells that a model is written as.
    pub(crate) fn encode<M: Model>(model: &M) -> Result<StoredRow> {
        let mut row = StoredRow::default();
        model.encode(&mut RowEncoder::new(M::definition(), &mut row))?;
        Ok(row)
    }

    /// A model that is read from cells.
    pub(crate) fn decode<M: Model>(row: &StoredRow) -> Result<M> {
        M::decode(&mut ommi::driver::Row::new(row))
    }

    /// Asserts that a model has no problems, and that an instance comes back as it went in.
    pub(crate) fn assert_round_trip<M: Model + PartialEq + std::fmt::Debug>(model: M) {
        assert_eq!(M::definition().problems(), [] as [String; 0]);
        let row = encode(&model).unwrap();
        assert_eq!(row.0.len(), M::definition().fields().len());
        assert_eq!(decode::<M>(&row).unwrap(), model);
    }
}
