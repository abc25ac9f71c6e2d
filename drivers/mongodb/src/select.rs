//! Selects as `find` and `aggregate` commands.

use std::sync::{Mutex, PoisonError};

use ommi_core::model::ModelDef;
use ommi_core::query::statement::SelectStatement;
use ommi_core::query::{Direction, Expr, OrderBy};
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};

use crate::aggregate::{Groups, sums_floats};
use crate::decode::{Columns, output_name};
use crate::expression::Translator;
use crate::layout::Layout;
use crate::name;
use crate::template::{Form, Node, Parameters, document, operator, operators, text};
use crate::writer::Writer;

/// How many documents a batch may have; the server ends it before 16 MB.
const BATCH: i32 = 100_000;
/// What sorts are computed under: no field has this name.
const SORT: &str = "%25s";

/// A select that is ready to be run.
#[derive(Debug)]
pub(crate) struct Select {
    /// The collection.
    pub(crate) collection: String,
    /// The members of the command, but for those that each call adds.
    members: Vec<(String, Node)>,
    /// The filter or the stages, as `explain` shows them.
    pub(crate) text: String,
    is_find: bool,
    limit: Option<u16>,
    offset: Option<u16>,
    /// The statement, for what the server does not answer.
    pub(crate) statement: Box<SelectStatement>,
    /// Whether no rows are answered with one: aggregates over all rows.
    pub(crate) is_one_group: bool,
    /// Reads the rows, where sums of floats may be left to the evaluator.
    pub(crate) rows: Option<Box<Select>>,
    columns: Columns,
    spare: Mutex<Option<Columns>>,
}

fn stage(name: &str, of: Node) -> Node {
    operator(name, of)
}

fn ascending(direction: Direction) -> Node {
    Node::Int(if direction == Direction::Ascending { 1 } else { -1 })
}

impl Select {
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn prepare(statement: &SelectStatement, types: &[ValueType]) -> Result<Select> {
        let layout = Layout::of(&statement.model);
        let rows = Translator { model: &statement.model, layout: &layout, types, groups: None };
        let filter = rows.filter(&statement.condition, true)?;
        let (limit, offset) = (bound(&statement.limit), bound(&statement.offset));
        let whole =
            statement.output.is_empty() && !statement.is_grouped() && (!statement.distinct || has_key(statement));
        let columns = match whole {
            true => Columns::of_layout(&layout, field_types(&statement.model)),
            false => Columns::numbered(output_types(&rows, statement)),
        };
        let plain_sort = whole.then(|| plain_sort(&layout, &statement.order_by)).flatten();
        let collection = name::collection(&statement.model.table().name).into_owned();
        let mut select = Select {
            members: Vec::new(),
            text: String::new(),
            is_find: plain_sort.is_some(),
            limit,
            offset,
            is_one_group: false,
            rows: None,
            statement: Box::new(statement.clone()),
            spare: Mutex::new(None),
            columns,
            collection,
        };
        let mut sums = Vec::new();
        statement.having.each_expr(&mut |expr| sums.push(sums_floats(expr, &statement.model)));
        let all = statement.output.iter().chain(statement.order_by.iter().map(|by| &by.expr));
        sums.extend(all.map(|expr| sums_floats(expr, &statement.model)));
        if sums.contains(&true) {
            let rows = SelectStatement::new(std::sync::Arc::clone(&statement.model), statement.condition.clone());
            select.rows = Some(Box::new(Select::prepare(&rows, types)?));
        }
        match plain_sort {
            Some(sort) => select.find(filter, sort),
            None => select.aggregate(&rows, statement, filter)?,
        }
        Ok(select)
    }

    fn find(&mut self, filter: Node, sort: Vec<(String, Node)>) {
        let count = |parameter: u16| Node::Parameter(parameter, Form::Count);
        let mut shown = vec![("find".to_owned(), text(self.collection.clone())), ("filter".to_owned(), filter)];
        if !sort.is_empty() {
            shown.push(("sort".into(), Node::Document(sort)));
            shown.push(("allowDiskUse".into(), Node::Bool(true)));
        }
        if let Some(offset) = self.offset {
            shown.push(("skip".into(), count(offset)));
        }
        if let Some(limit) = self.limit {
            shown.push(("limit".into(), count(limit)));
        }
        self.text = Node::Document(shown.clone()).show();
        self.members = shown;
    }

    fn aggregate(&mut self, rows: &Translator<'_>, statement: &SelectStatement, filter: Node) -> Result<()> {
        let mut stages = Vec::new();
        if !filter.is_always() {
            stages.push(stage("$match", filter));
        }
        let all_fields: Vec<Expr>;
        let output = match statement.output.is_empty() && !self.is_whole(statement) {
            true => {
                all_fields = (0..).take(statement.model.fields().len()).map(Expr::Field).collect();
                &all_fields
            }
            false => &statement.output,
        };
        let groups;
        let mut translator = *rows;
        if statement.is_grouped() {
            let mut named: Vec<&Expr> = output.iter().chain(statement.order_by.iter().map(|by| &by.expr)).collect();
            let mut having = Vec::new();
            statement.having.each_expr(&mut |expr| having.push(expr.clone()));
            named.extend(&having);
            groups = Groups::new(rows, &statement.group_by, &named)?;
            stages.push(groups.stage());
            translator.groups = Some(&groups);
            let having = translator.filter(&statement.having, true)?;
            if !having.is_always() {
                stages.push(stage("$match", having));
            }
            if statement.distinct {
                stages.push(self.distinct(&translator, output)?);
            }
            if statement.group_by.is_empty() {
                self.is_one_group = true;
            }
        } else if statement.distinct && !self.is_whole(statement) {
            stages.push(self.distinct(&translator, output)?);
        }
        let is_distinct = statement.distinct && !self.is_whole(statement);
        let outputs_of_distinct = if is_distinct { output.as_slice() } else { &[] };
        self.order(&translator, &statement.order_by, outputs_of_distinct, &mut stages)?;
        if let Some(offset) = self.offset {
            stages.push(stage("$skip", Node::Parameter(offset, Form::Count)));
        }
        if let Some(limit) = self.limit {
            stages.push(stage("$limit", Node::Parameter(limit, Form::Count)));
        }
        if !self.is_whole(statement) {
            let mut members = vec![("_id".to_owned(), Node::Int(0))];
            for (index, expr) in output.iter().enumerate() {
                let name = output_name(index);
                let value = match is_distinct {
                    true => text(format!("$_id.{name}")),
                    false => translator.value(expr)?,
                };
                members.push((name, value));
            }
            stages.push(stage("$project", Node::Document(members)));
        }
        let pipeline = Node::Array(stages);
        self.text = document([("aggregate", text(self.collection.clone())), ("pipeline", pipeline.clone())]).show();
        self.members = vec![
            ("aggregate".into(), text(self.collection.clone())),
            ("pipeline".into(), pipeline),
            ("allowDiskUse".into(), Node::Bool(true)),
        ];
        Ok(())
    }

    fn is_whole(&self, statement: &SelectStatement) -> bool {
        statement.output.is_empty() && !statement.is_grouped() && (!statement.distinct || has_key(statement))
    }

    /// The stage that lets equal rows of the answer appear once.
    fn distinct(&self, translator: &Translator<'_>, output: &[Expr]) -> Result<Node> {
        let mut key = Vec::new();
        for (index, expr) in output.iter().enumerate() {
            key.push((output_name(index), operators("$ifNull", [translator.value(expr)?, Node::Null])));
        }
        Ok(stage("$group", document([("_id", Node::Document(key))])))
    }

    /// The stages that sort.
    fn order(
        &self,
        translator: &Translator<'_>,
        order_by: &[OrderBy],
        of_distinct: &[Expr],
        stages: &mut Vec<Node>,
    ) -> Result<()> {
        let mut computed = Vec::new();
        let mut sort = Vec::new();
        for (index, by) in order_by.iter().enumerate() {
            let at = of_distinct.iter().position(|expr| *expr == by.expr);
            let value = match at {
                Some(at) => text(format!("$_id.{}", output_name(at))),
                None => translator.value(&by.expr)?,
            };
            // null sorts lowest by itself
            if by.nulls_first() != (by.direction == Direction::Ascending) {
                let name = format!("n{index}");
                let null = crate::arithmetic::is_null(value.clone());
                let (is, is_not) = if by.nulls_first() { (0, 1) } else { (1, 0) };
                computed.push((name.clone(), crate::arithmetic::cond(null, Node::Int(is), Node::Int(is_not))));
                sort.push((format!("{SORT}.{name}"), Node::Int(1)));
            }
            let plain = match (&by.expr, translator.groups, at) {
                (Expr::Field(field), None, None) => Some(translator.layout.field(*field)),
                _ => None,
            };
            match plain {
                Some(place) => {
                    sort.push((place.dotted.to_string(), ascending(by.direction)));
                    if let Some(micros) = &place.micros {
                        sort.push((micros.to_string(), ascending(by.direction)));
                    }
                }
                None => {
                    let name = format!("v{index}");
                    computed.push((name.clone(), value));
                    sort.push((format!("{SORT}.{name}"), ascending(by.direction)));
                }
            }
        }
        dedup(&mut sort);
        if !computed.is_empty() {
            stages.push(stage("$set", document([(SORT, Node::Document(computed))])));
        }
        if !sort.is_empty() {
            stages.push(stage("$sort", Node::Document(sort)));
        }
        Ok(())
    }

    /// The first rows that are asked for and that come after a number of others; none, if that
    /// would be no row.
    ///
    /// # Errors
    ///
    /// `Query` if a value cannot be written.
    pub(crate) fn command(&self, parameters: &[Datum], batch: Option<usize>) -> Result<Option<Writer>> {
        let is_zero =
            |index: &Option<u16>| index.is_some_and(|index| matches!(Parameters(parameters).get(index), Datum::Int(0)));
        if is_zero(&self.limit) {
            return Ok(None);
        }
        let mut writer = Writer::document();
        for (name, value) in &self.members {
            let place = writer.key(name)?;
            let kind = value.write(&mut writer, Parameters(parameters))?;
            writer.set(place, kind);
        }
        let size = batch.and_then(|rows| i32::try_from(rows).ok()).unwrap_or(BATCH);
        match self.is_find {
            true => {
                let place = writer.key("batchSize")?;
                let kind = writer.int(size);
                writer.set(place, kind);
            }
            false => {
                let place = writer.key("cursor")?;
                let start = writer.begin();
                let inner = writer.key("batchSize")?;
                let kind = writer.int(size);
                writer.set(inner, kind);
                writer.end(start)?;
                writer.set(place, crate::writer::kind::DOCUMENT);
            }
        }
        Ok(Some(writer))
    }

    /// The command as `explain` wants it.
    pub(crate) fn explained(&self) -> Node {
        let mut members = self.members.clone();
        if !self.is_find {
            members.push(("cursor".into(), Node::Document(Vec::new())));
        }
        Node::Document(members)
    }

    /// Columns to read an answer with.
    pub(crate) fn take_columns(&self) -> Columns {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        spare.unwrap_or_else(|| self.columns.clone())
    }

    /// Gives the columns back, with the order of members that they remember.
    pub(crate) fn put_columns(&self, columns: Columns) {
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(columns);
    }
}

fn dedup(sort: &mut Vec<(String, Node)>) {
    let mut seen: Vec<String> = Vec::new();
    sort.retain(|(name, _)| {
        let is_new = !seen.contains(name);
        seen.push(name.clone());
        is_new
    });
}

fn has_key(statement: &SelectStatement) -> bool {
    statement.output.is_empty() && !statement.model.key().is_empty()
}

fn bound(expr: &Option<Expr>) -> Option<u16> {
    match expr {
        Some(Expr::Parameter(index)) => Some(*index),
        _ => None,
    }
}

pub(crate) fn field_types(model: &ModelDef) -> Vec<ValueType> {
    model.fields().iter().map(|field| field.value_type.clone()).collect()
}

fn output_types(rows: &Translator<'_>, statement: &SelectStatement) -> Vec<ValueType> {
    match statement.output.is_empty() {
        true => field_types(&statement.model),
        false => {
            let of = |expr| rows.type_of(expr).unwrap_or(ValueType::Text);
            statement.output.iter().map(of).collect()
        }
    }
}

/// The sort of a `find`, if fields alone are sorted by, nulls lowest.
fn plain_sort(layout: &Layout, order_by: &[OrderBy]) -> Option<Vec<(String, Node)>> {
    let mut sort = Vec::new();
    for by in order_by {
        let Expr::Field(field) = by.expr else { return None };
        if by.nulls_first() != (by.direction == Direction::Ascending) {
            return None;
        }
        let place = layout.field(field);
        sort.push((place.dotted.to_string(), ascending(by.direction)));
        if let Some(micros) = &place.micros {
            sort.push((micros.to_string(), ascending(by.direction)));
        }
    }
    dedup(&mut sort);
    Some(sort)
}

/// The error for a prepared statement that another driver made.
#[cold]
pub(crate) fn foreign() -> Error {
    Error::query("the statement was prepared by another driver")
}
