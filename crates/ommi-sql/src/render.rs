//! Statements as SQL.

mod condition;
mod delete;
mod expr;
mod insert;
mod limit_by;
mod related;
mod select;
mod update;

use std::cell::{Cell, RefCell};

use ommi_core::model::ModelDef;
use ommi_core::query::statement::Statement;
use ommi_core::query::{Expr, Join};
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};

pub(crate) use self::condition::Truth;
pub use self::condition::in_as_comparisons;
pub use self::insert::{InsertRows, RenderedInsert, render_insert, render_insert_of};

use crate::dialect::Dialect;
use crate::slot::Slot;
use crate::sql::Sql;

/// A statement as SQL, with what its placeholders are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedSql {
    /// The text.
    pub text: String,
    /// What is bound: the first slot to placeholder 1, and so on.
    pub parameters: Vec<Slot>,
}

/// Renders a statement. An insert gets one row; [`render_insert`] makes it for more.
///
/// `parameters` are the types of the statement's parameters.
///
/// # Errors
///
/// `Unsupported` if the dialect cannot say a part of the statement, `Query` if the statement is
/// wrong in itself (a field or a parameter that does not exist, a comparison that no type has).
pub fn render(statement: &Statement, parameters: &[ValueType], dialect: &dyn Dialect) -> Result<RenderedSql> {
    let renderer = |model| Renderer::new(model, parameters, dialect);
    let aliases = Aliases::default();
    let text = match statement {
        Statement::Select(select) => renderer(&select.model).select(select, &aliases)?,
        Statement::Update(update) => renderer(&update.model).update(update, &aliases)?,
        Statement::Delete(delete) => renderer(&delete.model).delete(delete, &aliases)?,
        Statement::Insert(insert) => return Ok(render_insert(insert, parameters, 1, &[], dialect)?.sql),
    };
    let (sql, _) = number(&text, dialect)?;
    Ok(sql)
}

/// Turns a model's expressions and conditions into SQL.
pub(crate) struct Renderer<'a> {
    model: &'a ModelDef,
    parameters: &'a [ValueType],
    dialect: &'a dyn Dialect,
    /// Whether columns are written with their table before them.
    qualified: bool,
    /// The names of tables, in a statement that has several.
    scope: Option<Scope<'a>>,
}

/// Names for the tables of a statement.
#[derive(Default)]
pub(crate) struct Aliases {
    next: Cell<usize>,
    /// The texts of values of related rows, by the name of the table that they are related to.
    said: RefCell<Vec<(usize, Expr, Sql)>>,
}

impl Aliases {
    /// A name that no other table of the statement has.
    fn next(&self) -> usize {
        self.next.replace(self.next.get() + 1)
    }

    /// The text of a value of related rows: the same each time, so that the database sees that what is
    /// selected is what is grouped or ordered by.
    fn say(&self, own: usize, expr: &Expr, make: impl FnOnce() -> Result<Sql>) -> Result<Sql> {
        let is_same = |(of, said, _): &&(usize, Expr, Sql)| *of == own && said == expr;
        if let Some((_, _, sql)) = self.said.borrow().iter().find(is_same) {
            return Ok(sql.clone());
        }
        let sql = make()?;
        self.said.borrow_mut().push((own, expr.clone(), sql.clone()));
        Ok(sql)
    }
}

/// The names of tables where an expression stands.
#[derive(Clone, Copy)]
struct Scope<'a> {
    aliases: &'a Aliases,
    /// The name of the model's table.
    own: usize,
    /// Joins, whose tables have the names that follow.
    joins: &'a [Join],
}

impl Scope<'_> {
    /// The name of a table.
    fn name(alias: usize) -> String {
        format!("t{alias}")
    }
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(model: &'a ModelDef, parameters: &'a [ValueType], dialect: &'a dyn Dialect) -> Self {
        Renderer { model, parameters, dialect, qualified: false, scope: None }
    }

    /// The same renderer, writing columns with their table before them.
    fn qualified(&self) -> Renderer<'a> {
        Renderer { qualified: true, ..*self }
    }

    /// The quoted table, behind its schema if it has one.
    pub(crate) fn table(&self) -> Result<String> {
        let table = self.model.table();
        let name = self.quote(&table.name)?;
        match &table.schema {
            Some(schema) => Ok(format!("{}.{name}", self.quote(schema)?)),
            None => Ok(name),
        }
    }

    /// The same renderer for a model whose table gets a name of its own, and those of its joins after
    /// it.
    fn named<'b>(&self, model: &'b ModelDef, joins: &'b [Join], aliases: &'b Aliases) -> Renderer<'b>
    where
        'a: 'b,
    {
        let own = aliases.next();
        joins.iter().for_each(|_| _ = aliases.next());
        Renderer { model, scope: Some(Scope { aliases, own, joins }), ..*self }
    }

    /// The quoted table with its name, where it has one.
    fn named_table(&self) -> Result<String> {
        let table = self.table()?;
        Ok(match self.scope {
            Some(scope) => format!("{table} AS {}", Scope::name(scope.own)),
            None => table,
        })
    }

    /// The quoted column of a field as it is read, with the name of its table where that is needed.
    fn read_column(&self, field: u16) -> Result<String> {
        let column = self.column(field)?;
        Ok(match self.scope {
            Some(scope) => format!("{}.{column}", Scope::name(scope.own)),
            None if self.qualified => format!("{}.{column}", self.quote(&self.model.table().name)?),
            None => column,
        })
    }

    /// The quoted column of a field.
    pub(crate) fn column(&self, field: u16) -> Result<String> {
        let Some(field) = self.model.field(field) else {
            return Err(Error::query(format!("the statement names the field {field}, which does not exist"))
                .with_model(self.model.name()));
        };
        self.quote(&field.column)
    }

    /// The quoted columns of fields.
    pub(crate) fn columns(&self, fields: &[u16]) -> Result<Vec<String>> {
        fields.iter().map(|field| self.column(*field)).collect()
    }

    fn quote(&self, name: &str) -> Result<String> {
        // NUL would be taken for the mark of a slot
        crate::identifier::check(name, usize::MAX)?;
        Ok(self.dialect.quote(name))
    }
}

/// The mark of a value of a new row.
fn row_mark(index: usize) -> String {
    format!("\0R{index}\0")
}

/// Puts placeholders in the place of marks. The second part of the answer is the number of the
/// placeholder of the first row's first value, if there are rows.
fn number(text: &str, dialect: &dyn Dialect) -> Result<(RenderedSql, usize)> {
    let broken = || Error::query("a name or a constant of the statement has a NUL character");
    let row_index = |mark: &str| mark.strip_prefix('R').and_then(|index| index.parse::<usize>().ok());
    let marks = || text.split('\0').skip(1).step_by(2);
    let mut parameters: Vec<Slot> = Vec::new();
    let reuses = dialect.reuses_placeholders();
    let mut first_row = 0;
    if reuses {
        for mark in marks().filter(|mark| row_index(mark).is_none()) {
            let slot = Slot::from_mark(mark).ok_or_else(broken)?;
            if !parameters.contains(&slot) {
                parameters.push(slot);
            }
        }
        first_row = parameters.len() + 1;
    }
    let mut out = String::with_capacity(text.len());
    let mut used = 0;
    for (position, piece) in text.split('\0').enumerate() {
        if position % 2 == 0 {
            out.push_str(piece);
            continue;
        }
        used += 1;
        let number = match (row_index(piece), reuses) {
            (Some(row), true) => first_row + row,
            (Some(row), false) => {
                if row == 0 {
                    first_row = used;
                }
                used
            }
            (None, true) => {
                let slot = Slot::from_mark(piece).ok_or_else(broken)?;
                parameters.iter().position(|known| *known == slot).ok_or_else(broken)? + 1
            }
            (None, false) => {
                parameters.push(Slot::from_mark(piece).ok_or_else(broken)?);
                used
            }
        };
        out.push_str(&dialect.placeholder(number));
    }
    Ok((RenderedSql { text: out, parameters }, first_row))
}
