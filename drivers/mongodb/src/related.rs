//! Related rows.
//!
//! Which rows have related ones that pass a condition is asked by the keys: a command of its own
//! reads the values by which the related rows are found, and they are a list of constants then. A
//! list is looked at once for all rows, where `$lookup` is a query for each. Values of related rows
//! are looked for by `$lookup`, late, for the rows that are left; and so are related rows by several
//! fields, or more of them than fit into a command.

use std::sync::Arc;

use ommi_core::model::{Link, LinkKind};
use ommi_core::query::statement::SelectStatement;
use ommi_core::query::{AggregateFunction, Condition, Expr, RelatedNode};
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};

use crate::aggregate::Groups;
use crate::arithmetic::{cond, is_null, with};
use crate::expression::Translator;
use crate::filter::all;
use crate::layout::{Holds, Layout, has_key_document, is_moment};
use crate::name;
use crate::select::Select;
use crate::template::{Node, document, literal, operator, operators, text};

/// What begins the names of what was looked for: no field has one.
const FOUND: &str = "%25r";
/// What the value of a related row is called.
const VALUE: &str = "v";
/// A related row, in expressions.
const ROW: &str = "$$row.";

/// A command that reads the values by which related rows are found.
#[derive(Debug)]
pub(crate) struct KeyList {
    pub(crate) select: Select,
}

/// A part of a statement that is about related rows.
#[derive(Clone, Debug)]
struct Asked {
    link: Arc<Link>,
    condition: Condition,
    of: Option<Expr>,
    found: Found,
}

/// How a part is answered.
#[derive(Clone, Debug)]
enum Found {
    /// By a list of keys, which is a parameter behind those of the statement.
    Keys { parameter: u16, shown: Arc<str> },
    /// By `$lookup`.
    Looked { name: String },
}

/// What a statement asks of related rows, and how it is answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Related {
    asked: Vec<Asked>,
}

/// Whether the keys of a link can be a list.
fn has_key_list(link: &Link) -> bool {
    let plain = |field: &u16| {
        link.target()
            .field(*field)
            .is_some_and(|field| !is_moment(&field.value_type) && field.value_type.is_groupable())
    };
    matches!(link.to(), [field] if plain(field))
}

/// Whether filters by the link are left to the engine: it has several fields, and no index finds
/// its rows.
pub(crate) fn is_beyond(link: &Link) -> bool {
    !has_key_list(link) && !link.is_indexed()
}

impl Related {
    /// How parts about related rows are answered: filters by lists of keys where they may be, and
    /// everything else by `$lookup`.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn of<'n>(
        nodes: impl IntoIterator<Item = RelatedNode<'n>>,
        types: &[ValueType],
        may_list: bool,
    ) -> Result<(Related, Vec<KeyList>)> {
        let mut related = Related::default();
        let mut lists = Vec::new();
        for node in nodes {
            if related.find(&node).is_some() {
                continue;
            }
            let found = match node.of.is_none() && may_list && has_key_list(node.link) {
                true => {
                    let select = key_list(&node, types)?;
                    let parameter = u16::try_from(types.len() + lists.len())
                        .map_err(|_| Error::query("the query asks for too many related rows"))?;
                    let shown = select.text.as_str().into();
                    lists.push(KeyList { select });
                    Found::Keys { parameter, shown }
                }
                false => Found::Looked { name: format!("{FOUND}{}", related.asked.len()) },
            };
            related.asked.push(Asked {
                link: Arc::clone(node.link),
                condition: node.condition.clone(),
                of: node.of.cloned(),
                found,
            });
        }
        Ok((related, lists))
    }

    fn find(&self, node: &RelatedNode<'_>) -> Option<&Asked> {
        self.asked.iter().find(|asked| {
            asked.of.as_ref() == node.of && asked.condition == *node.condition && *asked.link == **node.link
        })
    }

    fn get(&self, node: &RelatedNode<'_>) -> Result<&Asked> {
        self.find(node).ok_or_else(|| crate::expression::beyond("related rows"))
    }

    /// Whether a part is answered by `$lookup`.
    fn is_looked(&self, node: &RelatedNode<'_>) -> bool {
        self.find(node).is_some_and(|asked| matches!(asked.found, Found::Looked { .. }))
    }

    /// Whether a condition needs a `$lookup`.
    pub(crate) fn looks_in(&self, condition: &Condition) -> bool {
        let mut looks = false;
        condition.each_related(&mut |node| looks |= self.is_looked(&node));
        looks
    }

    /// The collections of the related rows.
    pub(crate) fn collections(&self) -> impl Iterator<Item = String> {
        self.asked.iter().map(|asked| name::collection(&asked.link.target().table().name).into_owned())
    }
}

/// The command that reads the keys of the related rows that pass a condition.
fn key_list(node: &RelatedNode<'_>, types: &[ValueType]) -> Result<Select> {
    let mut select = SelectStatement::new(Arc::clone(node.link.target()), node.condition.clone());
    select.output = node.link.to().iter().copied().map(Expr::Field).collect();
    select.distinct = !node.link.is_unique();
    let layout = Layout::of(node.link.target());
    let of_kind = node.link.kind().filter(|kind| kind.of_target).map(|kind| kind_filter(&layout, kind));
    Select::filtered(&select, types, of_kind)
}

/// The filter of the rows in which a field names the link's model.
fn kind_filter(layout: &Layout, kind: &LinkKind) -> Node {
    document([(&layout.field(kind.field).dotted, document([("$eq", text(&*kind.value))]))])
}

/// The stages of a pipeline, and which related rows were looked for in it.
pub(crate) struct Stages<'t, 'a> {
    rows: &'t Translator<'a>,
    pub(crate) stages: Vec<Node>,
    looked: Vec<String>,
}

impl<'t, 'a> Stages<'t, 'a> {
    pub(crate) fn new(rows: &'t Translator<'a>) -> Self {
        Stages { rows, stages: Vec::new(), looked: Vec::new() }
    }

    /// Adds the stages that leave the rows that pass a condition and a filter.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn pass(&mut self, condition: &Condition, filter: Option<Node>) -> Result<()> {
        let related = self.rows.related;
        if !related.is_some_and(|related| related.looks_in(condition)) {
            let own = self.rows.filter(condition, true)?;
            self.pass_filter(all(filter.into_iter().chain([own]).collect()));
            return Ok(());
        }
        let parts = match condition {
            Condition::And(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        // what needs no look at related rows leaves fewer rows to look for
        let (late, early): (Vec<&Condition>, Vec<&Condition>) =
            parts.iter().partition(|part| related.is_some_and(|related| related.looks_in(part)));
        let together = |parts: Vec<&Condition>| parts.into_iter().cloned().fold(Condition::Const(true), Condition::and);
        let own = self.rows.filter(&together(early), true)?;
        self.pass_filter(all(filter.into_iter().chain([own]).collect()));
        let late = together(late);
        self.look(|found| late.each_related(&mut |node| found(node)))?;
        let late = self.rows.filter(&late, true)?;
        self.pass_filter(late);
        Ok(())
    }

    fn pass_filter(&mut self, filter: Node) {
        if !filter.is_always() {
            self.stages.push(operator("$match", filter));
        }
    }

    /// Adds the stages that look for the related rows of some parts, unless they were looked for.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn look<'n>(&mut self, each: impl FnOnce(&mut dyn FnMut(RelatedNode<'n>))) -> Result<()> {
        let mut nodes = Vec::new();
        each(&mut |node| nodes.push(node));
        for node in nodes {
            let Some(related) = self.rows.related else { return Err(crate::expression::beyond("related rows")) };
            let asked = related.get(&node)?;
            if let Found::Looked { name } = &asked.found
                && !self.looked.contains(name)
            {
                self.stages.push(operator("$lookup", asked.lookup(name, self.rows)?));
                self.looked.push(name.clone());
            }
        }
        Ok(())
    }

    /// Adds the stage that leaves out what was looked for.
    pub(crate) fn forget(&mut self) {
        if !self.looked.is_empty() {
            let names = self.looked.drain(..).map(Node::Text).collect();
            self.stages.push(operator("$unset", Node::Array(names)));
        }
    }
}

impl Asked {
    /// Whether the related row is the one of a key, whole: the server has a fast way for these.
    fn is_plain(&self) -> bool {
        let target = self.link.target();
        let of_row = self.of.as_ref().is_none_or(|of| !of.has_aggregate() && !of.is_across());
        let of_target = self.link.kind().is_some_and(|kind| kind.of_target);
        of_row
            && !of_target
            && self.link.to().len() == 1
            && target.key_is(self.link.to())
            && !has_key_document(target)
            && matches!(self.condition, Condition::Const(true))
    }

    fn lookup(&self, name: &str, rows: &Translator<'_>) -> Result<Node> {
        let target = self.link.target();
        let layout = Layout::of(target);
        let mut members = vec![("from".to_owned(), text(name::collection(&target.table().name)))];
        let filters = self.linked(rows, &layout, &mut members);
        if !self.is_plain() {
            members.push(("pipeline".to_owned(), Node::Array(self.pipeline(rows, &layout, filters)?)));
        }
        members.push(("as".to_owned(), text(name)));
        Ok(Node::Document(members))
    }

    /// Adds what links the rows, and gives the filters of the related ones that belong to it.
    fn linked(&self, rows: &Translator<'_>, target: &Layout, members: &mut Vec<(String, Node)>) -> Vec<Node> {
        let mut filters = Vec::new();
        if let Some(kind) = self.link.kind().filter(|kind| kind.of_target) {
            filters.push(kind_filter(target, kind));
        }
        if self.link.target().key_is(self.link.to())
            && has_key_document(self.link.target())
            && let Some(key) = self.key_document(rows, target)
        {
            members.push(("let".to_owned(), document([("key", key)])));
            filters.push(document([("$expr", operators("$eq", [text("$_id"), text("$$key")]))]));
            return filters;
        }
        let begins = |field: u16| {
            let begun = |index: &ommi_core::model::IndexDef| index.fields.first().is_some_and(|(of, _)| *of == field);
            self.link.target().key_is(&[field]) || self.link.target().indexes().iter().any(begun)
        };
        let mut pairs: Vec<(u16, u16)> = self.link.pairs().collect();
        // the server finds the rows by the first pair
        pairs.sort_by_key(|(_, to)| !begins(*to));
        let mut variables = Vec::new();
        for (index, (from, to)) in pairs.into_iter().enumerate() {
            let (own, other) = (rows.layout.field(from), target.field(to));
            if index == 0 {
                members.push(("localField".to_owned(), text(&*own.dotted)));
                members.push(("foreignField".to_owned(), text(&*other.dotted)));
            }
            if index > 0 || other.micros.is_some() {
                let variable = format!("l{index}");
                let equal = operators("$eq", [target.value("$", to), text(format!("$${variable}"))]);
                filters.push(document([("$expr", equal)]));
                variables.push((variable, rows.layout.value(rows.root, from)));
            }
            if !self.link.target().is_key(to) {
                filters.push(document([(&other.dotted, document([("$ne", Node::Null)]))]));
            }
        }
        if !variables.is_empty() {
            members.push(("let".to_owned(), Node::Document(variables)));
        }
        filters
    }

    /// The key's document, of the values that a row has for its parts.
    fn key_document(&self, rows: &Translator<'_>, target: &Layout) -> Option<Node> {
        let Holds::Document(parts) = &target.members.iter().find(|member| *member.name == *"_id")?.holds else {
            return None;
        };
        let own = |index: &usize| {
            let (from, _) = self.link.pairs().find(|(_, to)| usize::from(*to) == *index)?;
            Some(rows.layout.field(from))
        };
        let mut members = Vec::new();
        for part in parts {
            let value = match &part.holds {
                Holds::Field(index) => text(format!("${}", own(index)?.dotted)),
                Holds::Micros(index) => {
                    operators("$ifNull", [text(format!("${}", own(index)?.micros.as_deref()?)), Node::Int(0)])
                }
                Holds::Document(_) => return None,
            };
            members.push((part.name.to_string(), value));
        }
        Some(Node::Document(members))
    }

    /// The pipeline that runs over the related rows of a row.
    fn pipeline(&self, rows: &Translator<'_>, layout: &Layout, filters: Vec<Node>) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        self.condition.each_related(&mut |node| nodes.push(node));
        if let Some(of) = &self.of {
            of.each_related(&mut |node| nodes.push(node));
        }
        // what is looked for in a pipeline cannot be asked before it
        let (related, _) = Related::of(nodes, rows.types, false)?;
        let own = Translator {
            model: self.link.target(),
            layout,
            types: rows.types,
            groups: None,
            related: Some(&related),
            root: "$",
        };
        let mut stages = Stages::new(&own);
        stages.pass(&self.condition, Some(all(filters)))?;
        let one = operator("$limit", Node::Int(1));
        match &self.of {
            None => stages.stages.extend([one, operator("$project", document([("_id", Node::Int(1))]))]),
            Some(of) => {
                let groups;
                let mut translator = own;
                stages.look(|found| of.each_related(&mut |node| found(node)))?;
                match of.has_aggregate() {
                    true => {
                        groups = Groups::new(&own, &[], &[of])?;
                        stages.stages.push(groups.stage());
                        translator.groups = Some(&groups);
                    }
                    false => stages.stages.push(one),
                }
                let value = document([("_id", Node::Int(0)), (VALUE, translator.value(of)?)]);
                stages.stages.push(operator("$project", value));
            }
        }
        Ok(stages.stages)
    }

    /// The source's field that has to name the target's model, and its name.
    fn kind_of_source(&self) -> Option<&LinkKind> {
        self.link.kind().filter(|kind| !kind.of_target)
    }
}

impl Translator<'_> {
    fn asked(&self, node: &RelatedNode<'_>) -> Result<&Asked> {
        self.related.ok_or_else(|| crate::expression::beyond("related rows"))?.get(node)
    }

    /// The filter of the rows that have related ones which pass a condition, or of those that have none.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn has_related(&self, node: &RelatedNode<'_>, wanted: bool) -> Result<Node> {
        let asked = self.asked(node)?;
        let found = match (&asked.found, asked.link.from()) {
            (Found::Keys { parameter, shown }, [from]) => {
                let keys = Node::Keys(*parameter, Arc::clone(shown));
                document([(&self.layout.field(*from).dotted, document([("$in", keys)]))])
            }
            (Found::Looked { name }, _) => {
                document([(format!("{name}.0").as_str(), document([("$exists", Node::Bool(true))]))])
            }
            (Found::Keys { .. }, _) => return Err(crate::expression::beyond("related rows by several fields")),
        };
        let of_kind = asked.kind_of_source().map(|kind| kind_filter(self.layout, kind));
        let found = all(of_kind.into_iter().chain([found]).collect());
        Ok(match wanted {
            true => found,
            false => document([("$nor", Node::Array(vec![found]))]),
        })
    }

    /// The expression that is true for the rows of [`Translator::has_related`].
    ///
    /// # Errors
    ///
    /// As there.
    pub(crate) fn has_related_test(&self, node: &RelatedNode<'_>, wanted: bool) -> Result<Node> {
        let asked = self.asked(node)?;
        let found = match (&asked.found, asked.link.from()) {
            (Found::Keys { parameter, shown }, [from]) => {
                let keys = literal(Node::Keys(*parameter, Arc::clone(shown)));
                operators("$in", [text(format!("{}{}", self.root, self.layout.field(*from).dotted)), keys])
            }
            (Found::Looked { name }, _) => {
                operators("$gt", [operator("$size", text(format!("${name}"))), Node::Int(0)])
            }
            (Found::Keys { .. }, _) => return Err(crate::expression::beyond("related rows by several fields")),
        };
        let found = match asked.kind_of_source() {
            Some(kind) => document([("$and", Node::Array(vec![self.is_kind(kind), found]))]),
            None => found,
        };
        Ok(if wanted { found } else { operators("$not", [found]) })
    }

    fn is_kind(&self, kind: &LinkKind) -> Node {
        operators("$eq", [self.layout.value(self.root, kind.field), literal(text(&*kind.value))])
    }

    /// The value of a related row, or of all of them.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn related_value(&self, node: &RelatedNode<'_>) -> Result<Node> {
        let asked = self.asked(node)?;
        let (Found::Looked { name }, Some(of)) = (&asked.found, &asked.of) else {
            return Err(crate::expression::beyond("a value of related rows"));
        };
        let first = |path: String| operators("$arrayElemAt", [text(path), Node::Int(0)]);
        let is_count = matches!(of, Expr::Aggregate { function: AggregateFunction::Count, .. });
        let absent = match of.value_type(asked.link.target()) {
            _ if is_count => Node::Long(0),
            Some(ValueType::Json) => text("$$REMOVE"),
            _ => Node::Null,
        };
        let value = if asked.is_plain() {
            let layout = Layout::of(asked.link.target());
            let row = Translator {
                model: asked.link.target(),
                layout: &layout,
                types: self.types,
                groups: None,
                related: None,
                root: ROW,
            };
            let value = match of {
                Expr::Field(_) => row.value(of)?,
                // what is computed of constants alone has no value where there is no row
                of => cond(is_null(text("$$row")), absent.clone(), row.value(of)?),
            };
            with([("row", first(format!("${name}")))], value)
        } else {
            let value = first(format!("${name}.{VALUE}"));
            if is_count { operators("$ifNull", [value, absent.clone()]) } else { value }
        };
        Ok(match asked.kind_of_source() {
            Some(kind) => cond(self.is_kind(kind), value, absent),
            None => value,
        })
    }
}
