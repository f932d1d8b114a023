//! `init`: a small project that runs at once.

use std::path::Path;

use super::Outcome;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::schema;
use crate::view::Printer;

const FILES: [(&str, &str); 8] = [
    ("pipeline.yaml", include_str!("starter/pipeline.yaml")),
    ("sources/shop.yaml", include_str!("starter/sources/shop.yaml")),
    ("models/shop.yaml", include_str!("starter/models/shop.yaml")),
    ("models/daily_sales.sql", include_str!("starter/models/daily_sales.sql")),
    ("expectations/shop.yaml", include_str!("starter/expectations/shop.yaml")),
    ("dashboards/shop.yaml", include_str!("starter/dashboards/shop.yaml")),
    ("data/orders.csv", include_str!("starter/data/orders.csv")),
    (".gitignore", include_str!("starter/gitignore")),
];

pub(super) fn run(printer: Printer, folder: &Path) -> Result<Outcome, Diagnostics> {
    if folder.join("pipeline.yaml").exists() {
        return Err(Diagnostic::error(
            Code::Usage,
            format!("there is a pipeline.yaml in {} already", folder.display()),
        )
        .help("choose an empty folder: `pipewright init my_project`")
        .into());
    }
    let io = |error: std::io::Error| Diagnostic::error(Code::Io, error.to_string());
    for (name, content) in FILES {
        let path = folder.join(name);
        if path.exists() {
            printer.note(&format!("kept {name}: it was there already"));
            continue;
        }
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent).map_err(io)?;
        }
        fs_err::write(&path, content).map_err(io)?;
        printer.out(&format!("{name}\n"));
    }
    schema::write(&folder.join("schema")).map_err(io)?;
    printer.out("schema/*.schema.json\n");
    printer.note(&format!("Now: cd {} && pipewright plan && pipewright apply", folder.display()));
    Ok(Outcome::Done)
}
