//! The command line's words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Plans a data pipeline from one YAML manifest, then applies it, on DuckDB or BigQuery.
#[derive(Debug, Parser)]
#[command(name = "pipewright", version, about, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What all commands take.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands take.
#[derive(Debug, Args)]
pub struct Global {
    /// Folder of the project: the one that holds pipeline.yaml
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
    /// Target to work on; the manifest's default unless given
    #[arg(short, long, global = true, value_name = "NAME")]
    pub target: Option<String>,
    /// Value of a variable of the manifest, for this command
    #[arg(long = "var", global = true, value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// Compile the project even if `.pipewright/cache` holds it compiled
    #[arg(long, global = true)]
    pub no_cache: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t)]
    pub color: Color,
    /// How faults are written
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub error_format: ErrorFormat,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that can show them
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How faults are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// For people
    #[default]
    Human,
    /// One JSON array
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a new project in a folder
    Init {
        /// The folder; made when it is missing
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Check the manifest, its SQL, expectations and dashboards, without any data
    Validate,
    /// Write the JSON Schemas of the manifest's files, for editors
    Schema {
        /// Only tell whether the files are up to date
        #[arg(long)]
        check: bool,
        /// Folder to write to
        #[arg(long, value_name = "DIR", default_value = "schema")]
        out: PathBuf,
    },
    /// Show what apply would do, and why
    Plan(PlanArgs),
    /// Do it: load, build, check and publish what changed
    Apply(ApplyArgs),
    /// Check expectations on the tables as they are
    Check(CheckArgs),
    /// Show what became of expectations in past runs
    Results(ResultsArgs),
    /// Run the unit tests of models, on an engine in memory
    Test(TestArgs),
    /// List what the manifest describes
    Ls {
        /// Nodes to list
        #[command(flatten)]
        selection: SelectionArgs,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what reads what
    Graph {
        /// Form of the output
        #[arg(long, value_enum, default_value_t)]
        format: GraphFormat,
    },
    /// Run a GoogleSQL script and show the rows of its last statement
    Query(QueryArgs),
    /// Print the SQL that runs on a target
    Compile {
        /// Models or tiles; all models unless given
        names: Vec<String>,
        /// Print the rendered GoogleSQL instead
        #[arg(long)]
        google: bool,
    },
    /// Show past runs
    Runs {
        /// A run to show in full
        run: Option<String>,
        /// Write JSON
        #[arg(long)]
        json: bool,
        /// How many runs to list
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Drop everything that Pipewright made in a target
    Clean {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Which nodes a command is about.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectionArgs {
    /// Only these: a name, `tag:NAME`, `path:FOLDER`, `state:changed`; `+` before or behind adds what is upstream or
    /// downstream; a comma means both
    #[arg(short, long, value_name = "TERM", num_args = 1..)]
    pub select: Vec<String>,
    /// Not these
    #[arg(long, value_name = "TERM", num_args = 1..)]
    pub exclude: Vec<String>,
}

/// What a plan is for.
#[derive(Debug, Clone, Default, Args)]
pub struct PlanScopeArgs {
    /// Nodes that steps may be about
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Also drop what the manifest no longer has
    #[arg(long)]
    pub prune: bool,
    /// Build incremental tables anew instead of bringing new rows into them
    #[arg(long)]
    pub full_refresh: bool,
    /// Read from this target what is neither in the other nor selected
    #[arg(long, value_name = "TARGET")]
    pub defer: Option<String>,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What the plan is for
    #[command(flatten)]
    pub scope: PlanScopeArgs,
    /// Write the plan as JSON
    #[arg(long)]
    pub json: bool,
    /// Save the plan to a file that `apply FILE` carries out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there is something to do
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How long to wait for another process that holds the target
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub lock_timeout: String,
}

/// `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A saved plan
    pub plan: Option<PathBuf>,
    /// What the plan is for
    #[command(flatten)]
    pub scope: PlanScopeArgs,
    /// The most steps at a time; all cores unless given, or `threads` of a BigQuery target
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Do not ask before dropping
    #[arg(long)]
    pub yes: bool,
    /// Publish tables that are empty or have lost more rows than `max_shrink` says
    #[arg(long)]
    pub allow_shrink: bool,
    /// Write events as JSON, one a line
    #[arg(long)]
    pub json: bool,
    /// How long to wait for another process that holds the target
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub lock_timeout: String,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A checkpoint of the manifest: only its expectations, and what it does with the results
    pub checkpoint: Option<String>,
    /// Nodes whose expectations are checked
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: CheckFormat,
    /// Write JSON
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// The most tables at a time; all cores unless given, or `threads` of a BigQuery target
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Check nothing, but propose bounds that past runs would have passed; the manifest stays as it is
    #[arg(long, conflicts_with_all = ["format", "json", "checkpoint"])]
    pub propose: bool,
}

/// `results`.
#[derive(Debug, Args)]
pub struct ResultsArgs {
    /// Expectations, or nodes whose expectations are shown; all unless given
    pub names: Vec<String>,
    /// Only those that did not always pass
    #[arg(long)]
    pub failing: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
    /// Write all of them as a site of static pages into a folder, for a browser
    ///
    /// Pages of runs that are there already stay, those of runs that are no longer remembered go.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["names", "failing", "json"])]
    pub site: Option<PathBuf>,
}

/// `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Tests, or models whose tests are run; all unless given
    pub names: Vec<String>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: TestFormat,
}

/// Forms of results of unit tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// For people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// JUnit's XML, for continuous integration
    Junit,
}

/// Forms of results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// JUnit's XML, for continuous integration
    Junit,
    /// Markdown, for a comment on a pull request
    Markdown,
}

/// `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The script; `-` reads standard input
    pub sql: Option<String>,
    /// A file with the script
    #[arg(long, value_name = "FILE", conflicts_with = "sql")]
    pub file: Option<PathBuf>,
    /// Run in an empty database in memory, without any project
    ///
    /// A dataset is there as soon as a table is made in it.
    #[arg(long)]
    pub ephemeral: bool,
    /// A query parameter: `name:TYPE:value` for `@name`, `:TYPE:value` for the next `?`
    ///
    /// The type is STRING if it is left out; arrays and structs are JSON, NULL is no value.
    #[arg(long = "parameter", value_name = "NAME:TYPE:VALUE")]
    pub parameters: Vec<String>,
    /// Form of the rows
    #[arg(long, value_enum, default_value_t)]
    pub format: RowFormat,
}

/// Form of a query's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// Columns for people
    #[default]
    Table,
    /// One JSON object with schema and rows
    Json,
    /// One JSON object a row
    Jsonl,
    /// Comma-separated values
    Csv,
}

/// Form of the graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A line for each node
    #[default]
    Text,
    /// Graphviz
    Dot,
    /// Mermaid
    Mermaid,
    /// JSON
    Json,
}
