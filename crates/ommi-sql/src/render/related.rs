//! Related rows: whether there are any, and values of them.

use ommi_core::model::{Link, LinkKind};
use ommi_core::query::{Comparison, Condition, Expr};
use ommi_core::value::Datum;
use ommi_core::{Error, Result};

use super::{Renderer, Scope, Truth};
use crate::sql::Sql;

impl Renderer<'_> {
    /// Whether there is a row that a link leads to and for which a condition holds.
    pub(super) fn has_related(&self, link: &Link, condition: &Condition) -> Result<Truth> {
        let (target, rows) = self.related_rows(link, condition)?;
        Ok(match rows {
            Some(rows) => Truth::Asked(Sql::primary(format!(
                "EXISTS (SELECT 1 FROM {} WHERE {})",
                target.named_table()?,
                rows.text()
            ))),
            None => Truth::Const(false),
        })
    }

    /// A value of the rows that a link leads to and for which a condition holds.
    pub(super) fn related_value(&self, link: &Link, condition: &Condition, of: &Expr) -> Result<Sql> {
        let (target, rows) = self.related_rows(link, condition)?;
        let of = target.operand(of, None)?;
        let rows = match rows {
            Some(rows) => Some(rows),
            // the value names its owner even so: an aggregate around it belongs to the owner's rows by
            // the columns that it names
            None => {
                let mut all = self.linked(&target, link)?;
                all.push(self.dialect.boolean(false));
                Sql::all(all)
            }
        };
        let rows = rows.unwrap_or_else(|| self.dialect.boolean(false));
        let (table, of) = (target.named_table()?, of.argument());
        Ok(Sql::primary(format!("(SELECT {of} FROM {table} WHERE {})", rows.text())))
    }

    /// The renderer for the target of a link, and which of its rows are meant: `None` if none ever
    /// are.
    fn related_rows<'b>(&'b self, link: &'b Link, condition: &Condition) -> Result<(Renderer<'b>, Option<Sql>)> {
        let Some(scope) = self.scope else {
            return Err(Error::query("related rows are asked for where a statement has one table")
                .with_model(self.model.name()));
        };
        let target = self.named(link.target(), &[], scope.aliases);
        let mut all = self.linked(&target, link)?;
        match target.condition(condition)? {
            Truth::Const(true) => {}
            Truth::Const(false) => return Ok((target, None)),
            Truth::Asked(sql) => all.push(sql),
        }
        Ok((target, Sql::all(all)))
    }

    /// The conditions by which a link leads from rows of this renderer's model to those of another's.
    fn linked(&self, target: &Renderer<'_>, link: &Link) -> Result<Vec<Sql>> {
        let mut all = Vec::new();
        for (from, to) in link.pairs() {
            let (from, to) = (Expr::Field(from), Expr::Field(to));
            let (from, to) = (self.operand(&from, None)?, target.operand(&to, None)?);
            all.push(self.dialect.compare(Comparison::Eq, &to, &from)?);
        }
        if let Some(LinkKind { of_target, field, value }) = link.kind() {
            let of = if *of_target { target } else { self };
            let is_kind = Condition::Compare {
                operator: Comparison::Eq,
                left: Expr::Field(*field),
                right: Expr::Literal(Datum::Text(value.clone())),
            };
            if let Truth::Asked(sql) = of.condition(&is_kind)? {
                all.push(sql);
            }
        }
        Ok(all)
    }

    /// The renderer for the target of a join.
    pub(super) fn of_join(&self, place: u16) -> Result<Renderer<'_>> {
        let place = usize::from(place);
        match self.scope.and_then(|scope| Some((scope, scope.joins.get(place)?))) {
            Some((scope, join)) => Ok(Renderer {
                model: join.link.target(),
                scope: Some(Scope { own: scope.own + 1 + place, joins: &[], ..scope }),
                ..*self
            }),
            None => Err(Error::query(format!("the statement has no join {place}")).with_model(self.model.name())),
        }
    }

    /// ` JOIN .. ON ..` for each join.
    pub(super) fn joins(&self) -> Result<String> {
        let mut text = String::new();
        let joins = self.scope.map_or(&[][..], |scope| scope.joins);
        for (place, join) in (0..).zip(joins) {
            let target = self.of_join(place)?;
            let on = Sql::all(self.linked(&target, &join.link)?).unwrap_or_else(|| self.dialect.boolean(true));
            text.push_str(&format!(" JOIN {} ON {}", target.named_table()?, on.text()));
        }
        Ok(text)
    }
}
