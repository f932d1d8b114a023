//! `query`: a GoogleSQL script, and the rows of its last statement.

use std::io::Read;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::args::{QueryArgs, RowFormat};
use super::workspace::Workspace;
use super::{Outcome, stop, usage};
use crate::compile::sql_diagnostic;
use crate::diag::{Code, Diagnostic, Diagnostics, MappedText, SourceFile};
use crate::googlesql::parameter::Parameter;
use crate::googlesql::{Column, Type};
use crate::view::{Align, Table};
use crate::warehouse::duckdb::{in_memory, interrupter, query_parameters, script as scripts};
use crate::warehouse::{Access, QueryError, QueryResult};

pub(super) fn run(workspace: &Workspace<'_>, args: &QueryArgs) -> Result<Outcome, Diagnostics> {
    let script = script(args)?;
    let parameters = parameters(&args.parameters)?;
    let (result, cancel) = if args.ephemeral {
        let connection = in_memory().map_err(super::workspace::fault)?;
        let (cancel, interrupt) = (stop::on_signal(), interrupter(&connection));
        let run = || {
            query_parameters(&parameters)
                .and_then(|parameters| scripts::run_ephemeral(&connection, &script.text, &parameters))
        };
        (cancel.watch(interrupt.as_ref(), run), cancel)
    } else {
        let loaded = workspace.load()?;
        // A script may write, as it could in any client; a target that is only read stays as it is.
        let access = if scripts::only_reads(&script.text) { Access::Read } else { Access::Write };
        let warehouse = workspace.open(&loaded, access, "pipewright query", "0s")?;
        let (cancel, interrupt) = (stop::on_signal(), warehouse.interrupter());
        let run = || warehouse.query(&script.text, &parameters);
        (cancel.watch(interrupt.as_ref(), run), cancel)
    };
    let result = match result {
        // What the engine says of its being interrupted is of no use to anybody.
        Err(_) if cancel.is_cancelled() => {
            let help = "statements of the script that had ended have done what they do";
            return Err(stop::stopped("the query").help(help).into());
        }
        result => result.map_err(|error| told(error, &script))?,
    };
    workspace.printer.out(&written(&result, args.format)?);
    Ok(Outcome::Done)
}

fn parameters(given: &[String]) -> Result<Vec<Parameter>, Diagnostics> {
    let parse = |text: &String| {
        let parameter = Parameter::parse(text).and_then(|parameter| {
            // A value that cannot be translated is a fault of the command line, not of the script.
            query_parameters(std::slice::from_ref(&parameter)).map_err(|error| error.to_string())?;
            Ok(parameter)
        });
        parameter.map_err(|why| {
            usage(why).help("`--parameter n:INT64:5`, `--parameter ids:ARRAY<INT64>:[1,2]`").into()
        })
    };
    given.iter().map(parse).collect()
}

fn script(args: &QueryArgs) -> Result<Arc<SourceFile>, Diagnostics> {
    let io = |error: std::io::Error| Diagnostic::error(Code::Io, error.to_string());
    match (&args.file, args.sql.as_deref()) {
        (Some(path), _) => {
            let text = fs_err::read_to_string(path).map_err(io)?;
            Ok(SourceFile::new(path.to_string_lossy(), text))
        }
        (None, Some("-")) => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map_err(io)?;
            Ok(SourceFile::new("standard input", text))
        }
        (None, Some(sql)) => Ok(SourceFile::new("query", sql)),
        (None, None) => {
            Err(usage("there is no script to run").help("give SQL, `--file FILE`, or `-`").into())
        }
    }
}

fn told(error: QueryError, script: &Arc<SourceFile>) -> Diagnostics {
    match error {
        QueryError::Faults(faults) => {
            let mapped = MappedText::file(script);
            faults.into_iter().map(|fault| sql_diagnostic(fault, &mapped, "")).collect()
        }
        QueryError::Engine(message) => Diagnostic::error(Code::QueryFailed, message).into(),
        QueryError::Target(refusal) => (*refusal).into(),
    }
}

fn written(result: &QueryResult, format: RowFormat) -> Result<String, Diagnostics> {
    Ok(match format {
        RowFormat::Table => table(result),
        RowFormat::Json => {
            let schema: Vec<Value> = result.columns.iter().map(schema_of).collect();
            let rows: Vec<Value> = result.rows.iter().map(|row| object(&result.columns, row)).collect();
            format!("{:#}\n", json!({ "schema": schema, "rows": rows }))
        }
        RowFormat::Jsonl => {
            let mut lines = String::new();
            for row in &result.rows {
                lines.push_str(&format!("{}\n", object(&result.columns, row)));
            }
            lines
        }
        RowFormat::Csv => csv(result)?,
    })
}

/// A column as BigQuery's interface describes it: name, type, mode, and the fields of a struct.
fn schema_of(column: &Column) -> Value {
    field(&column.name, &column.data_type)
}

fn field(name: &str, data_type: &Type) -> Value {
    let (element, mode) = match data_type {
        Type::Array(element) => (element.as_ref(), "REPEATED"),
        other => (other, "NULLABLE"),
    };
    // The interface keeps the names of legacy SQL.
    let kind = match element {
        Type::Int64 => "INTEGER".to_owned(),
        Type::Float64 => "FLOAT".to_owned(),
        Type::Bool => "BOOLEAN".to_owned(),
        Type::Struct(_) => "RECORD".to_owned(),
        other => other.to_string(),
    };
    let mut value = json!({ "name": name, "type": kind, "mode": mode });
    if let Type::Struct(fields) = element {
        value["fields"] = fields
            .iter()
            .map(|inner| field(inner.name.as_deref().unwrap_or_default(), &inner.data_type))
            .collect();
    }
    value
}

fn object(columns: &[Column], row: &[Value]) -> Value {
    let entries: Map<String, Value> =
        columns.iter().zip(row).map(|(column, value)| (column.name.clone(), value.clone())).collect();
    Value::Object(entries)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table(result: &QueryResult) -> String {
    if result.columns.is_empty() {
        return String::new();
    }
    let mut rows = vec![result.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>()];
    rows.extend(
        result.rows.iter().map(|row| row.iter().map(|value| plain(value).replace('\n', "\\n")).collect()),
    );
    let sides: Vec<Align> = result
        .columns
        .iter()
        .map(|column| if column.data_type.is_numeric() { Align::Right } else { Align::Left })
        .collect();
    let mut table = Table::new(&sides);
    for row in rows {
        table.cells(row);
    }
    let mut lines = table.lines();
    let width =
        lines.iter().map(|line| unicode_width::UnicodeWidthStr::width(line.as_str())).max().unwrap_or(0);
    lines.insert(1, "-".repeat(width));
    lines.join("\n") + "\n"
}

fn csv(result: &QueryResult) -> Result<String, Diagnostics> {
    if result.columns.is_empty() {
        return Ok(String::new());
    }
    let fault = |error: String| Diagnostic::error(Code::Io, error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(result.columns.iter().map(|column| column.name.as_str()))
        .map_err(|error| fault(error.to_string()))?;
    for row in &result.rows {
        let cells = row.iter().map(|value| if value.is_null() { String::new() } else { plain(value) });
        writer.write_record(cells).map_err(|error| fault(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| fault(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
