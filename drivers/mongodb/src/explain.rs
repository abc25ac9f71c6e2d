//! The server's own plan for a statement.

use mongodb::bson::{Bson, Document};
use ommi_core::driver::Call;
use ommi_core::value::Datum;
use ommi_core::{Error, Result};

use crate::error::{DRIVER, Work};
use crate::select::foreign;
use crate::shared::Shared;
use crate::statement::Native;
use crate::template::{Node, Parameters, document, text};
use crate::write::Change;

/// The server's plan, one step a line. Constants are not shown: they may be secret.
///
/// # Errors
///
/// The server's.
pub(crate) async fn explain(shared: &Shared, call: Call<'_>) -> Result<String> {
    let Some(native) = call.prepared.native::<Native>() else { return Err(foreign()) };
    let explained = match native {
        Native::Insert(_) => return Ok("INSERT".to_owned()),
        Native::Select(select) => {
            for collection in select.others.iter().chain([&select.collection]) {
                shared.require(collection).await?;
            }
            select.explained()
        }
        Native::Write(write) => {
            shared.require(&write.collection).await?;
            let (name, list) = match write.change {
                Change::Delete => ("delete", document([("q", write.filter.clone()), ("limit", Node::Int(0))])),
                _ => (
                    "update",
                    document([
                        ("q", write.filter.clone()),
                        ("u", write.update_node(call.parameters)),
                        ("multi", Node::Bool(true)),
                    ]),
                ),
            };
            document([
                (name, text(write.collection.clone())),
                (if name == "delete" { "deletes" } else { "updates" }, Node::Array(vec![list])),
            ])
        }
    };
    let command = document([("explain", explained), ("verbosity", text("queryPlanner"))]);
    let parameters: Vec<Datum> = call.parameters.iter().map(at_least_one).collect();
    let answer = shared.run(None, command.to_document(Parameters(&parameters))?, Work::Read, None).await?;
    let answer = Document::try_from(answer.as_ref())
        .map_err(|error| Error::decode("the plan could not be read").with_driver(DRIVER).with_source(error))?;
    let mut lines = Vec::new();
    match answer.get_array("stages") {
        Ok(stages) => stages.iter().for_each(|stage| stage_lines(stage, &mut lines)),
        Err(_) => plan_lines(&answer, &mut lines),
    }
    Ok(lines.join("\n"))
}

/// A limit of 0 is answered without the server, which would take it for none.
fn at_least_one(value: &Datum) -> Datum {
    match value {
        Datum::Int(0) => Datum::Int(1),
        other => other.clone(),
    }
}

fn stage_lines(stage: &Bson, lines: &mut Vec<String>) {
    let Bson::Document(stage) = stage else { return };
    for (name, of) in stage {
        match (name.as_str(), of) {
            ("$cursor", Bson::Document(of)) => plan_lines(of, lines),
            (name, _) if name.starts_with('$') => lines.push(name.to_owned()),
            _ => {}
        }
    }
}

fn plan_lines(of: &Document, lines: &mut Vec<String>) {
    let planner = of.get_document("queryPlanner").unwrap_or(of);
    let Ok(winning) = planner.get_document("winningPlan") else { return };
    let plan = winning.get_document("queryPlan").unwrap_or(winning);
    step_lines(plan, 0, lines);
}

fn step_lines(step: &Document, depth: usize, lines: &mut Vec<String>) {
    let Ok(name) = step.get_str("stage") else { return };
    let mut line = format!("{}{name}", "  ".repeat(depth));
    if let Ok(index) = step.get_str("indexName") {
        line.push_str(&format!(" by the index `{index}`"));
    }
    lines.push(line);
    if let Ok(inner) = step.get_document("inputStage") {
        step_lines(inner, depth + 1, lines);
    }
    if let Ok(inner) = step.get_array("inputStages") {
        for inner in inner {
            if let Bson::Document(inner) = inner {
                step_lines(inner, depth + 1, lines);
            }
        }
    }
}
