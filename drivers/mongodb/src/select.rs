//! Selects as `find` and `aggregate` commands.

use std::sync::{Arc, Mutex, PoisonError};

use ommi_core::model::ModelDef;
use ommi_core::query::statement::SelectStatement;
use ommi_core::query::{Condition, Direction, Expr, LimitBy, OrderBy, RelatedNode};
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};

use crate::aggregate::{Groups, sums_floats};
use crate::decode::{Columns, output_name};
use crate::expression::Translator;
use crate::filter::all;
use crate::layout::Layout;
use crate::name;
use crate::related::{KeyList, Related, Stages};
use crate::template::{Form, Node, Parameters, document, operator, operators, text};
use crate::writer::Writer;

/// How many documents a batch may have; the server ends it before 16 MB.
const BATCH: i32 = 100_000;
/// What sorts are computed under: no field has this name.
const SORT: &str = "%25s";
/// What the number of a row in its group is called.
const NUMBER: &str = "%25n";

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
    /// Reads the rows, where sums of floats may be left to the evaluator; behind their fields what the
    /// statement asks of related rows.
    pub(crate) rows: Option<Box<Select>>,
    /// How many parameters the statement has.
    pub(crate) parameters: usize,
    /// Commands that come before: they read keys of related rows.
    pub(crate) lists: Vec<KeyList>,
    /// The same without lists of keys, which may be too long.
    pub(crate) without_lists: Option<Box<Select>>,
    /// The collections of related rows.
    pub(crate) others: Vec<String>,
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
        Select::filtered(statement, types, None)
    }

    /// A select of the rows that also pass a filter.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn filtered(statement: &SelectStatement, types: &[ValueType], filter: Option<Node>) -> Result<Select> {
        let mut select = Select::with_related(statement, types, filter.clone(), true)?;
        if !select.lists.is_empty() {
            select.without_lists = Some(Box::new(Select::with_related(statement, types, filter, false)?));
        }
        Ok(select)
    }

    /// Related rows may be asked for by lists of their keys, or not.
    fn with_related(
        statement: &SelectStatement,
        types: &[ValueType],
        filter: Option<Node>,
        may_list: bool,
    ) -> Result<Select> {
        let layout = Layout::of(&statement.model);
        let mut nodes = Vec::new();
        statement.each_related(&mut |node| nodes.push(node));
        let (related, lists) = Related::of(nodes, types, may_list)?;
        let rows = Translator { related: Some(&related), ..Translator::of_rows(&statement.model, &layout, types) };
        let (limit, offset) = (bound(&statement.limit), bound(&statement.offset));
        let whole =
            statement.output.is_empty() && !statement.is_grouped() && (!statement.distinct || has_key(statement));
        let columns = match whole {
            true => Columns::of_layout(&layout, field_types(&statement.model)),
            false => Columns::numbered(output_types(&rows, statement)),
        };
        let may_find = whole && statement.limit_by().is_none() && !related.looks_in(&statement.condition);
        let plain_sort = may_find.then(|| plain_sort(&layout, &statement.order_by)).flatten();
        let collection = name::collection(&statement.model.table().name).into_owned();
        let mut select = Select {
            members: Vec::new(),
            text: String::new(),
            is_find: plain_sort.is_some(),
            limit,
            offset,
            is_one_group: false,
            rows: rows_of_sums(statement, types)?.map(Box::new),
            lists,
            without_lists: None,
            others: related.collections().collect(),
            // the rows that the evaluator gets have passed the condition
            statement: Box::new(SelectStatement { condition: Condition::Const(true), ..statement.clone() }),
            parameters: types.len(),
            spare: Mutex::new(None),
            columns,
            collection,
        };
        match plain_sort {
            Some(sort) => {
                let own = rows.filter(&statement.condition, true)?;
                select.find(all(filter.into_iter().chain([own]).collect()), sort);
            }
            None => {
                let mut stages = Stages::new(&rows);
                stages.pass(&statement.condition, filter)?;
                select.aggregate(&rows, statement, stages)?;
            }
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

    fn aggregate(
        &mut self,
        rows: &Translator<'_>,
        statement: &SelectStatement,
        mut stages: Stages<'_, '_>,
    ) -> Result<()> {
        let is_whole = self.is_whole(statement);
        let all_fields: Vec<Expr>;
        let output = match statement.output.is_empty() && !is_whole {
            true => {
                all_fields = (0..).take(statement.model.fields().len()).map(Expr::Field).collect();
                &all_fields
            }
            false => &statement.output,
        };
        let is_distinct = statement.distinct && !is_whole;
        let exprs = || statement.output.iter().chain(&statement.group_by);
        let ordered = || statement.order_by.iter().map(|by| &by.expr);
        let limited = statement.limit_by().map_or(&[][..], |limit_by| &limit_by.by);
        // the values of those rows that are left at the end are looked for at the end
        stages.look(|found| ordered().chain(limited).for_each(|expr| expr.each_related(&mut |node| found(node))))?;
        if statement.is_grouped() || is_distinct {
            stages.look(|found| exprs().for_each(|expr| expr.each_related(&mut |node| found(node))))?;
            // aggregates of related values may be in the filter of the groups alone
            stages.look(|found| statement.having.each_related(&mut |node| found(node)))?;
        }
        let groups;
        let mut translator = *rows;
        if statement.is_grouped() {
            let mut named: Vec<&Expr> = output.iter().chain(ordered()).collect();
            let mut having = Vec::new();
            statement.having.each_expr(&mut |expr| having.push(expr.clone()));
            named.extend(&having);
            groups = Groups::new(rows, &statement.group_by, &named)?;
            stages.stages.push(groups.stage());
            translator.groups = Some(&groups);
            let having = translator.filter(&statement.having, true)?;
            if !having.is_always() {
                stages.stages.push(stage("$match", having));
            }
            if statement.distinct {
                stages.stages.push(self.distinct(&translator, output)?);
            }
            if statement.group_by.is_empty() {
                self.is_one_group = true;
            }
        } else if is_distinct {
            stages.stages.push(self.distinct(&translator, output)?);
        }
        let outputs_of_distinct = if is_distinct { output.as_slice() } else { &[] };
        let sort = self.order(&translator, &statement.order_by, outputs_of_distinct, &mut stages.stages)?;
        if let Some(limit_by) = statement.limit_by() {
            limited_by(&translator, limit_by, &sort, &mut stages.stages)?;
        }
        if !sort.is_empty() {
            stages.stages.push(stage("$sort", Node::Document(sort)));
        }
        if let Some(offset) = self.offset {
            stages.stages.push(stage("$skip", Node::Parameter(offset, Form::Count)));
        }
        if let Some(limit) = self.limit {
            stages.stages.push(stage("$limit", Node::Parameter(limit, Form::Count)));
        }
        match is_whole {
            true => stages.forget(),
            false => {
                if !statement.is_grouped() && !is_distinct {
                    stages.look(|found| output.iter().for_each(|expr| expr.each_related(&mut |node| found(node))))?;
                }
                let mut members = vec![("_id".to_owned(), Node::Int(0))];
                for (index, expr) in output.iter().enumerate() {
                    let name = output_name(index);
                    let value = match is_distinct {
                        true => text(format!("$_id.{name}")),
                        false => translator.value(expr)?,
                    };
                    members.push((name, value));
                }
                stages.stages.push(stage("$project", Node::Document(members)));
            }
        }
        let pipeline = Node::Array(stages.stages);
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

    /// What is sorted by, and the stage that computes it.
    fn order(
        &self,
        translator: &Translator<'_>,
        order_by: &[OrderBy],
        of_distinct: &[Expr],
        stages: &mut Vec<Node>,
    ) -> Result<Vec<(String, Node)>> {
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
        Ok(sort)
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

    /// The types of the columns of an answer.
    pub(crate) fn types(&self) -> &[ValueType] {
        self.columns.types()
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

/// The select of the rows whose floats the server may find that it cannot sum, if a statement has such
/// sums.
fn rows_of_sums(statement: &SelectStatement, types: &[ValueType]) -> Result<Option<Select>> {
    let mut sums = false;
    statement.having.each_expr(&mut |expr| sums |= sums_floats(expr, &statement.model));
    let exprs = statement.output.iter().chain(statement.order_by.iter().map(|by| &by.expr));
    if !sums && !exprs.into_iter().any(|expr| sums_floats(expr, &statement.model)) {
        return Ok(None);
    }
    let mut rows = SelectStatement::new(Arc::clone(&statement.model), statement.condition.clone());
    let asked = values_asked(statement);
    if !asked.is_empty() {
        let fields = (0..).take(statement.model.fields().len()).map(Expr::Field);
        rows.output = fields.chain(asked.iter().map(value_of)).collect();
    }
    Select::prepare(&rows, types).map(Some)
}

/// The values of related rows that a statement asks for.
pub(crate) fn values_asked(statement: &SelectStatement) -> Vec<RelatedNode<'_>> {
    let mut asked: Vec<RelatedNode<'_>> = Vec::new();
    let mut ask = |node| {
        if !asked.contains(&node) {
            asked.push(node);
        }
    };
    let ordered = statement.order_by.iter().map(|by| &by.expr);
    for expr in statement.output.iter().chain(&statement.group_by).chain(ordered) {
        expr.each_related(&mut ask);
    }
    statement.having.each_related(&mut ask);
    asked
}

fn value_of(node: &RelatedNode<'_>) -> Expr {
    Expr::Related {
        link: Arc::clone(node.link),
        condition: Box::new(node.condition.clone()),
        of: Box::new(node.of.cloned().unwrap_or(Expr::Field(0))),
    }
}

/// The stages that limit groups of rows.
fn limited_by(
    rows: &Translator<'_>,
    limit_by: &LimitBy,
    sort: &[(String, Node)],
    stages: &mut Vec<Node>,
) -> Result<()> {
    let mut members = Vec::new();
    if !limit_by.by.is_empty() {
        let mut key = Vec::new();
        for (index, expr) in limit_by.by.iter().enumerate() {
            key.push((format!("k{index}"), operators("$ifNull", [rows.value(expr)?, Node::Null])));
        }
        members.push(("partitionBy".to_owned(), Node::Document(key)));
    }
    let order = match sort.is_empty() {
        true => vec![("_id".to_owned(), Node::Int(1))],
        false => sort.to_vec(),
    };
    members.push(("sortBy".to_owned(), Node::Document(order)));
    // the server numbers documents only in the order of a single field, and counts in any
    let up_to_here = Node::Array(vec![text("unbounded"), text("current")]);
    let number = document([("$sum", Node::Int(1)), ("window", document([("documents", up_to_here)]))]);
    members.push(("output".to_owned(), document([(NUMBER, number)])));
    stages.push(stage("$setWindowFields", Node::Document(members)));
    let number = || text(format!("${NUMBER}"));
    let limit = rows.value(&limit_by.limit)?;
    let test = match &limit_by.offset {
        None => operators("$lte", [number(), limit]),
        Some(offset) => {
            let offset = rows.value(offset)?;
            let last = operators("$add", [offset.clone(), limit]);
            let tests = vec![operators("$gt", [number(), offset]), operators("$lte", [number(), last])];
            document([("$and", Node::Array(tests))])
        }
    };
    stages.push(stage("$match", document([("$expr", test)])));
    Ok(())
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
