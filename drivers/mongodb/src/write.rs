//! Changing and deleting rows.

use std::sync::Arc;

use mongodb::ClientSession;
use ommi_core::Result;
use ommi_core::driver::{BoxFuture, Call};
use ommi_core::model::{FieldDef, ModelDef};
use ommi_core::query::Expr;
use ommi_core::query::statement::{DeleteStatement, UpdateStatement};
use ommi_core::value::{Datum, ValueType};

use crate::arithmetic::{cond, in_range, is_null, raise, with};
use crate::catalog::{Collections, Incoming, stored};
use crate::element::find;
use crate::encode::is_narrow;
use crate::expression::Translator;
use crate::layout::{Layout, is_moment};
use crate::reference::Outgoing;
use crate::shared::Shared;
use crate::statement::Native;
use crate::template::{Form, Node, Parameters, document, literal, operator, operators, text};
use crate::transaction::{OwnCall, OwnWork};
use crate::writer::{Writer, kind};

/// An update or a delete that is ready to be run.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) model: Arc<ModelDef>,
    pub(crate) collection: String,
    pub(crate) layout: Layout,
    pub(crate) filter: Node,
    pub(crate) change: Change,
    pub(crate) text: String,
}

/// What becomes of the rows.
#[derive(Debug)]
pub(crate) enum Change {
    /// They are deleted.
    Delete,
    /// Fields are set to parameters.
    Set(Vec<(u16, u16)>),
    /// Fields are set to expressions, by stages.
    Stages { stages: Vec<Node>, fields: Vec<u16> },
}

impl Change {
    /// The fields that change; none, if the rows are deleted.
    pub(crate) fn fields(&self) -> Vec<u16> {
        match self {
            Change::Delete => Vec::new(),
            Change::Set(all) => all.iter().map(|(field, _)| *field).collect(),
            Change::Stages { fields, .. } => fields.clone(),
        }
    }
}

impl Write {
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn update(statement: &UpdateStatement, types: &[ValueType]) -> Result<Write> {
        let layout = Layout::of(&statement.model);
        let translator = Translator::of_rows(&statement.model, &layout, types);
        let filter = translator.filter(&statement.condition, true)?;
        let is_key = statement.assignments.iter().any(|(field, _)| statement.model.is_key(*field));
        let plain: Option<Vec<(u16, u16)>> = statement
            .assignments
            .iter()
            .map(|(field, value)| match value {
                Expr::Parameter(parameter) => Some((*field, *parameter)),
                _ => None,
            })
            .collect();
        let change = match plain {
            Some(all) if !is_key => Change::Set(all),
            _ => {
                let mut members = Vec::new();
                let mut fields = Vec::new();
                for (field, value) in &statement.assignments {
                    assigned(&translator, *field, value, &mut members)?;
                    fields.push(*field);
                }
                Change::Stages { stages: vec![operator("$set", Node::Document(members))], fields }
            }
        };
        let collection = stored(&statement.model);
        let shown = match &change {
            Change::Set(all) => set_shown(&layout, all),
            Change::Stages { stages, .. } => Node::Array(stages.clone()).show(),
            Change::Delete => String::new(),
        };
        let text = format!(
            "{{\"update\": {}, \"q\": {}, \"u\": {shown}}}",
            ommi_core::value::Json::from(collection.as_str()),
            filter.show()
        );
        Ok(Write { model: Arc::clone(&statement.model), collection, layout, filter, change, text })
    }

    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn delete(statement: &DeleteStatement, types: &[ValueType]) -> Result<Write> {
        let layout = Layout::of(&statement.model);
        let translator = Translator::of_rows(&statement.model, &layout, types);
        let filter = translator.filter(&statement.condition, true)?;
        let collection = stored(&statement.model);
        let text =
            format!("{{\"delete\": {}, \"q\": {}}}", ommi_core::value::Json::from(collection.as_str()), filter.show());
        Ok(Write { model: Arc::clone(&statement.model), collection, layout, filter, change: Change::Delete, text })
    }

    /// Whether the key of rows changes, which MongoDB does not do.
    pub(crate) fn changes_key(&self) -> bool {
        self.change.fields().iter().any(|field| self.model.is_key(*field))
    }

    /// What `update` takes as `u`.
    ///
    /// # Errors
    ///
    /// `Query` if a value cannot be written.
    pub(crate) fn update_node(&self, parameters: &[Datum]) -> Node {
        match &self.change {
            Change::Delete => Node::Null,
            Change::Stages { stages, .. } => Node::Array(stages.clone()),
            Change::Set(all) => {
                let mut set = Vec::new();
                let mut unset = Vec::new();
                for (field, parameter) in all {
                    let place = self.layout.field(*field);
                    let value_type = self.model.field(*field).map(|field| field.value_type.clone());
                    let value_type = value_type.unwrap_or(ValueType::Text);
                    // null is a JSON value: what is absent is null
                    if value_type == ValueType::Json && Parameters(parameters).get(*parameter).is_null() {
                        unset.push((place.dotted.to_string(), Node::Int(1)));
                        continue;
                    }
                    set.push((place.dotted.to_string(), Node::Parameter(*parameter, Form::Stored(value_type))));
                    if let Some(micros) = &place.micros {
                        set.push((micros.to_string(), Node::Parameter(*parameter, Form::Micros)));
                    }
                }
                let mut members = Vec::new();
                if !set.is_empty() {
                    members.push(("$set".to_owned(), Node::Document(set)));
                }
                if !unset.is_empty() {
                    members.push(("$unset".to_owned(), Node::Document(unset)));
                }
                Node::Document(members)
            }
        }
    }

    /// The command, with the filter of the statement or another.
    ///
    /// # Errors
    ///
    /// `Query` if a value cannot be written.
    pub(crate) fn command(&self, parameters: &[Datum], filter: &Node) -> Result<Writer> {
        let is_delete = matches!(self.change, Change::Delete);
        let mut writer = Writer::document();
        let place = writer.key(if is_delete { "delete" } else { "update" })?;
        let of = writer.text(&self.collection);
        writer.set(place, of);
        let place = writer.key(if is_delete { "deletes" } else { "updates" })?;
        let start = writer.begin();
        let element = writer.index(0);
        let inner = writer.begin();
        let q = writer.key("q")?;
        let of = filter.write(&mut writer, Parameters(parameters))?;
        writer.set(q, of);
        match is_delete {
            true => {
                let limit = writer.key("limit")?;
                let of = writer.int(0);
                writer.set(limit, of);
            }
            false => {
                let u = writer.key("u")?;
                let of = self.update_node(parameters).write(&mut writer, Parameters(parameters))?;
                writer.set(u, of);
                let multi = writer.key("multi")?;
                let of = writer.bool(true);
                writer.set(multi, of);
            }
        }
        writer.end(inner)?;
        writer.set(element, kind::DOCUMENT);
        writer.end(start)?;
        writer.set(place, kind::ARRAY);
        Ok(writer)
    }
}

fn set_shown(layout: &Layout, all: &[(u16, u16)]) -> String {
    let set = all
        .iter()
        .map(|(field, parameter)| (layout.field(*field).dotted.to_string(), Node::Parameter(*parameter, Form::Count)));
    document([("$set", Node::Document(set.collect()))]).show()
}

/// Adds what a field is set to.
///
/// # Errors
///
/// `Unsupported` for what the capabilities do not promise.
pub(crate) fn assigned(
    translator: &Translator<'_>,
    index: u16,
    value: &Expr,
    members: &mut Vec<(String, Node)>,
) -> Result<()> {
    let Some(field) = translator.model.field(index) else { return Ok(()) };
    let place = translator.layout.field(index);
    if let (Some(micros), Expr::Parameter(parameter)) = (&place.micros, value) {
        let stored = Node::Parameter(*parameter, Form::Stored(field.value_type.clone()));
        members.push((place.dotted.to_string(), literal(stored)));
        members.push((micros.to_string(), literal(Node::Parameter(*parameter, Form::Micros))));
        return Ok(());
    }
    let seen = match (value, &field.value_type) {
        (Expr::Parameter(parameter), ValueType::Json) => Node::JsonParameter(*parameter),
        (Expr::Parameter(parameter), value_type) => {
            literal(Node::Parameter(*parameter, Form::Stored(value_type.clone())))
        }
        (value, _) => translator.value(value)?,
    };
    if let (Some(micros), true) = (&place.micros, is_moment(&field.value_type)) {
        let decimal = || operator("$toDecimal", text("$$m"));
        let millis = operator("$floor", operators("$divide", [decimal(), Node::Int(1_000)]));
        let date = operator("$toDate", operator("$toLong", millis.clone()));
        let rest = operators("$subtract", [decimal(), operators("$multiply", [millis, Node::Int(1_000)])]);
        let or_null = |of: Node| with([("m", seen.clone())], cond(is_null(text("$$m")), Node::Null, of));
        members.push((place.dotted.to_string(), checked(field, index, or_null(date))));
        members.push((micros.to_string(), or_null(operator("$toInt", rest))));
        return Ok(());
    }
    let stored = match value {
        // constants were checked before
        Expr::Parameter(_) => seen,
        _ => checked(field, index, fitted(field, index, seen)),
    };
    members.push((place.dotted.to_string(), stored));
    Ok(())
}

/// The value, unless it is null where it must not be.
fn checked(field: &FieldDef, index: u16, value: Node) -> Node {
    if field.nullable || field.value_type == ValueType::Json {
        return value;
    }
    let wrong = raise(&format!("null {index} "), text(""));
    with([("v", value)], cond(is_null(text("$$v")), wrong, text("$$v")))
}

/// The value, in the form in which the field stores it.
fn fitted(field: &FieldDef, index: u16, value: Node) -> Node {
    let or_null = |of: Node| with([("v", value.clone())], cond(is_null(text("$$v")), Node::Null, of));
    match &field.value_type {
        integer if integer.integer_range().is_some() => {
            let range = integer.integer_range().unwrap_or_default();
            let number = in_range(operator("$toDecimal", text("$$v")), range, integer);
            or_null(if is_narrow(integer) { operator("$toInt", number) } else { number })
        }
        ValueType::Decimal(Some(size)) => {
            let rounded = operators("$round", [operator("$toDecimal", text("$$v")), Node::Int(size.scale.into())]);
            let most = crate::decimal::of_parts(1, i32::from(size.precision) - i32::from(size.scale));
            let fits = document([(
                "$and",
                Node::Array(vec![
                    operators("$eq", [rounded.clone(), text("$$v")]),
                    operators("$lt", [operator("$abs", text("$$v")), Node::Decimal(most)]),
                ]),
            )]);
            let message = format!(
                "check {index} a value does not fit `{}`, a decimal({}, {}): ",
                field.name, size.precision, size.scale
            );
            or_null(cond(fits, rounded, raise(&message, text("$$v"))))
        }
        ValueType::Decimal(None) => or_null(operator("$toDecimal", text("$$v"))),
        ValueType::F64 => or_null(operator("$toDouble", text("$$v"))),
        ValueType::Text => match field.max_length {
            Some(most) => {
                let fits = operators("$lte", [operator("$strLenCP", text("$$v")), Node::Long(most.into())]);
                let message = format!("check {index} the text of `{}` is longer than {most} characters", field.name);
                or_null(cond(fits, text("$$v"), raise(&message, text(""))))
            }
            None => value,
        },
        _ => value,
    }
}

/// What follows from a write: references that lead to the rows, and those that lead away.
pub(crate) struct Following {
    pub(crate) incoming: Vec<Incoming>,
    pub(crate) outgoing: Vec<Outgoing>,
}

impl Write {
    /// Whether one command does it.
    fn is_simple(&self, following: &Following) -> bool {
        following.is_empty() && !self.changes_key()
    }
}

impl Following {
    pub(crate) fn is_empty(&self) -> bool {
        self.incoming.is_empty() && self.outgoing.is_empty()
    }
}

/// An update or a delete in a transaction of its own.
struct OwnWrite {
    call: OwnCall,
    following: Following,
}

impl OwnWork for OwnWrite {
    fn run<'a>(&'a mut self, shared: &'a Shared, session: &'a mut ClientSession) -> BoxFuture<'a, Result<u64>> {
        Box::pin(shared.execute_in(session, self.call.call(), &self.following))
    }
}

fn write_of(call: Call<'_>) -> Result<&Write> {
    match call.prepared.native::<Native>() {
        Some(Native::Write(write)) => Ok(write),
        _ => Err(crate::select::foreign()),
    }
}

impl Shared {
    /// Updates or deletes rows, and says how many matched.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses; the server's.
    pub(crate) async fn execute(self: &Arc<Self>, session: Option<&mut ClientSession>, call: Call<'_>) -> Result<u64> {
        let write = write_of(call)?;
        self.require(&write.collection).await?;
        let is_delete = matches!(write.change, Change::Delete);
        let collections =
            match self.server.has_transactions && (is_delete || write.changes_key() || !call.prepared.is_short()) {
                true => self.believed().await?,
                false => self.catalog.known(),
            };
        let following = self.following(write, &collections);
        let is_simple = write.is_simple(&following);
        match session {
            Some(session) => self.execute_in(session, call, &following).await,
            None if is_simple && (call.prepared.is_short() || !self.server.has_transactions) => {
                self.execute_plain(None, write, call.parameters).await
            }
            None if !self.server.has_transactions => self.change_keys_alone(write, call.parameters).await,
            None => {
                let own = OwnWrite { call: OwnCall::of(call), following };
                Ok(self.in_own_transaction(own).await?.1)
            }
        }
    }

    /// The references that a write may break.
    fn following(&self, write: &Write, collections: &Collections) -> Following {
        if !self.server.has_transactions {
            return Following { incoming: Vec::new(), outgoing: Vec::new() };
        }
        if matches!(write.change, Change::Delete) {
            return Following { incoming: collections.incoming(&write.collection), outgoing: Vec::new() };
        }
        let changed: Vec<String> =
            write.change.fields().iter().map(|field| write.layout.field(*field).dotted.to_string()).collect();
        let mut outgoing = Outgoing::of_model(&write.model, collections);
        outgoing.retain(|reference| reference.paths.iter().any(|path| changed.contains(path)));
        Following { incoming: collections.incoming_to(&write.collection, &changed), outgoing }
    }

    /// Updates or deletes rows in a transaction.
    async fn execute_in(&self, session: &mut ClientSession, call: Call<'_>, following: &Following) -> Result<u64> {
        let write = write_of(call)?;
        match write.is_simple(following) {
            true => self.execute_plain(Some(session), write, call.parameters).await,
            false => self.execute_following(session, write, call.parameters, following).await,
        }
    }

    async fn execute_plain(
        &self,
        session: Option<&mut ClientSession>,
        write: &Write,
        parameters: &[Datum],
    ) -> Result<u64> {
        let command = write.command(parameters, &write.filter)?;
        let answer = self.write(session, command, Some(&write.model)).await?;
        Ok(matched(answer.as_bytes()))
    }
}

/// How many rows a write matched, as its answer says.
pub(crate) fn matched(answer: &[u8]) -> u64 {
    find(answer, "n").and_then(|n| n.whole()).and_then(|n| u64::try_from(n).ok()).unwrap_or_default()
}
