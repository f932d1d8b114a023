//! Running scripts: each statement analyzed, translated and run in turn, with the variables, conditions and loops.
//!
//! A variable is one of the session (`SET VARIABLE`), read by `getvariable` and cast to its type. In queries the analyzer
//! tells which names are variables. In other statements, and in values, a name that neither a table of the statement nor the
//! statement itself has stands for its variable; of the others only the engine knows whether they are columns where they
//! stand: the statement is bound without them first, and each name that is not found then stands for its variable too.

use std::collections::BTreeMap;

use duckdb::Connection;
use sqlparser::ast::{DataType, DropFunction, Expr, Ident, Query, Spanned, Statement, Visit};
use sqlparser::tokenizer::Span;

use super::super::rows::{QueryError, QueryResult};
use super::catalog::DatabaseNames;
use super::query::{columns, engine, fetch};
use super::target::{Kind, Target, bind, dataset_of_new};
use super::variable::{missing_name, stored, taken_as, value_of, variable};
use crate::diag::Code;
use crate::googlesql::duckdb::{
    Ident as Quoted, Parameters, TableNames, quote, translate_type, translate_value,
};
use crate::googlesql::script::{Command, read};
use crate::googlesql::temp_function::{TempFunction, key};
use crate::googlesql::{SqlFault, Type};

/// How often the loops of a script may go round, all together.
const MAX_ROUNDS: usize = 1_000_000;

/// Runs a script on a connection that has the runtime (`super::runtime::install`) and returns the rows of
/// its last statement: none if that one is no query.
///
/// Queries are analyzed against the tables that are there when their turn comes. All faults of queries that follow
/// each other are told before the first of them runs.
///
/// # Errors
/// The first statement that is wrong, cannot be translated or does not run; the ones before it have run.
pub fn run(
    connection: &Connection,
    sql: &str,
    names: &dyn TableNames,
    parameters: &Parameters,
) -> Result<QueryResult, QueryError> {
    Script::new(connection, names, parameters).run(sql)
}

/// As [`run`], in a database that is there for this script only: a dataset is made with the first table or view in
/// it, since nobody else could have made it.
///
/// # Errors
/// As [`run`].
pub fn run_ephemeral(
    connection: &Connection,
    sql: &str,
    parameters: &Parameters,
) -> Result<QueryResult, QueryError> {
    let names = DatabaseNames(connection);
    Script { makes_datasets: true, ..Script::new(connection, &names, parameters) }.run(sql)
}

/// Whether a script changes nothing but temporary tables of its own. A script that cannot be read changes nothing.
pub fn only_reads(sql: &str) -> bool {
    read(sql).map_or(true, |commands| commands.iter().all(reads))
}

fn reads(command: &Command) -> bool {
    let all = |commands: &[Command]| commands.iter().all(reads);
    match command {
        Command::Statement(statement) => match statement.as_ref() {
            Statement::Query(_) => true,
            Statement::CreateTable(table) => table.temporary,
            // Only a temporary table goes by its name alone.
            Statement::Insert(insert) => insert.table.to_string().split('.').count() == 1,
            _ => false,
        },
        Command::If { branches, otherwise } => branches.iter().all(|(_, body)| all(body)) && all(otherwise),
        Command::Block { body, handler } => all(body) && handler.as_deref().is_none_or(all),
        Command::While { body, .. } | Command::Repeat { body, .. } | Command::For { body, .. } => all(body),
        // What it runs is not known before.
        Command::Execute { .. } => false,
        Command::Declare { .. }
        | Command::Set { .. }
        | Command::Break
        | Command::Continue
        | Command::Return
        | Command::Raise(_)
        | Command::Assert { .. }
        | Command::Function(_) => true,
    }
}

/// What comes after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Break,
    Continue,
    Return,
}

/// A script that is running.
struct Script<'a> {
    connection: &'a Connection,
    target: Target<'a>,
    parameters: Parameters,
    makes_datasets: bool,
    functions: Vec<TempFunction>,
    /// Each variable's type in DuckDB, by its name in lower case.
    types: BTreeMap<String, String>,
    result: QueryResult,
    /// The message of the error that is being handled.
    error: Option<String>,
    rounds: usize,
}

impl<'a> Script<'a> {
    fn new(connection: &'a Connection, names: &'a dyn TableNames, parameters: &Parameters) -> Self {
        let mut parameters = parameters.clone();
        // Where a time zone is left out, it is this one.
        parameters.named.insert("@time_zone".to_owned(), quote("UTC"));
        Self {
            connection,
            target: Target { connection, names },
            parameters,
            makes_datasets: false,
            functions: Vec::new(),
            types: BTreeMap::new(),
            result: QueryResult::default(),
            error: None,
            rounds: 0,
        }
    }

    /// Runs a script and returns the rows of its last statement.
    fn run(mut self, sql: &str) -> Result<QueryResult, QueryError> {
        let commands = read(sql).map_err(|fault| QueryError::Faults(vec![fault]))?;
        self.all(&commands)?;
        Ok(self.result)
    }

    fn all(&mut self, commands: &[Command]) -> Result<Next, QueryError> {
        for together in commands.chunk_by(|one, next| is_query(one) && is_query(next)) {
            if together.len() > 1 {
                self.check(together)?;
            }
            for command in together {
                let next = self.one(command)?;
                if next != Next::Go {
                    return Ok(next);
                }
            }
        }
        Ok(Next::Go)
    }

    /// All faults of queries that follow each other.
    fn check(&self, queries: &[Command]) -> Result<(), QueryError> {
        let mut all = Vec::new();
        for query in queries {
            let Command::Statement(statement) = query else { continue };
            match self.translated(statement.as_ref().clone()) {
                Err(QueryError::Faults(faults)) => all.extend(faults),
                Err(other) => return Err(other),
                Ok(_) => {}
            }
        }
        if all.is_empty() { Ok(()) } else { Err(QueryError::Faults(all)) }
    }

    fn one(&mut self, command: &Command) -> Result<Next, QueryError> {
        match command {
            Command::Statement(statement) => match statement.as_ref() {
                Statement::DropFunction(drop) => self.drop_functions(drop)?,
                statement => self.statement(statement.clone())?,
            },
            Command::Function(function) => self.function(function)?,
            Command::Declare { names, data_type, default } => {
                self.declare(names, data_type.as_ref(), default.as_ref())?;
            }
            Command::Set { names, values } => self.set(names, values)?,
            Command::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.holds(condition)? {
                        return self.all(body);
                    }
                }
                return self.all(otherwise);
            }
            Command::Block { body, handler } => return self.block(body, handler.as_deref()),
            Command::While { condition, body } => loop {
                self.round()?;
                if let Some(condition) = condition
                    && !self.holds(condition)?
                {
                    break;
                }
                match self.all(body)? {
                    Next::Break => break,
                    Next::Return => return Ok(Next::Return),
                    Next::Go | Next::Continue => {}
                }
            },
            Command::Repeat { body, until } => loop {
                self.round()?;
                match self.all(body)? {
                    Next::Break => break,
                    Next::Return => return Ok(Next::Return),
                    Next::Go | Next::Continue => {}
                }
                if self.holds(until)? {
                    break;
                }
            },
            Command::For { name, query, body } => return self.for_rows(name, query, body),
            Command::Break => return Ok(Next::Break),
            Command::Continue => return Ok(Next::Continue),
            Command::Return => return Ok(Next::Return),
            Command::Raise(message) => {
                let text = match message {
                    Some(message) => self.text(message)?,
                    None => self.error.clone(),
                };
                return Err(QueryError::Engine(text.unwrap_or_default()));
            }
            Command::Execute { sql, into, using } => self.execute(sql, into, using)?,
            Command::Assert { condition, message } => {
                if !self.holds(condition)? {
                    let message = match message {
                        Some(message) => self.text(message)?,
                        None => None,
                    };
                    return Err(QueryError::Engine(message.unwrap_or_else(|| "Assertion failed".to_owned())));
                }
            }
        }
        Ok(Next::Go)
    }

    fn function(&mut self, function: &TempFunction) -> Result<(), QueryError> {
        if let Some(span) = function.lasting {
            if !self.makes_datasets {
                let message =
                    "a function that outlives its script has no translation for the embedded engine";
                let fault = SqlFault::new(Code::SqlNotTranslated, span, message);
                return Err(QueryError::Faults(vec![fault.help("write CREATE TEMP FUNCTION")]));
            }
            if !function.replaces && self.functions.iter().any(|known| known.name() == function.name()) {
                if function.if_not_exists {
                    return Ok(());
                }
                return Err(fault(span, format!("the function {} is there already", function.name())));
            }
        }
        self.functions.push(function.clone());
        Ok(())
    }

    fn drop_functions(&mut self, drop: &DropFunction) -> Result<(), QueryError> {
        for function in &drop.func_desc {
            let name = key(&function.name).unwrap_or_default();
            let before = self.functions.len();
            self.functions.retain(|known| known.name() != name);
            if before == self.functions.len() && !drop.if_exists {
                return Err(fault(function.name.span(), format!("there is no function {name}")));
            }
        }
        self.result = QueryResult::default();
        Ok(())
    }

    fn round(&mut self) -> Result<(), QueryError> {
        self.rounds += 1;
        if self.rounds > MAX_ROUNDS {
            return Err(QueryError::Engine(format!("the script's loops went round {MAX_ROUNDS} times")));
        }
        Ok(())
    }

    /// A block has variables of its own, which go with it.
    fn block(&mut self, body: &[Command], handler: Option<&[Command]>) -> Result<Next, QueryError> {
        let (types, functions) = (self.types.clone(), self.functions.len());
        let mut outcome = self.all(body);
        if let (Err(QueryError::Engine(message)), Some(handler)) = (&outcome, handler) {
            let before = self.error.replace(message.clone());
            let value = format!("struct_pack(message := {})", quote(message));
            self.parameters.named.insert("@error".to_owned(), value);
            outcome = self.all(handler);
            self.error = before;
            self.parameters.named.remove("@error");
        }
        self.types = types;
        self.functions.truncate(functions);
        outcome
    }

    fn declare(
        &mut self,
        names: &[Ident],
        data_type: Option<&DataType>,
        default: Option<&Expr>,
    ) -> Result<(), QueryError> {
        let value = match default {
            Some(default) => self.value(default)?,
            None => "NULL".to_owned(),
        };
        for name in names {
            let key = name.value.to_lowercase();
            if self.types.contains_key(&key) {
                return Err(fault(name.span, format!("the variable `{}` is declared twice", name.value)));
            }
            let native = match data_type {
                Some(data_type) => translate_type(data_type, name.span).map_err(QueryError::Faults)?,
                None => self.type_of(&value)?,
            };
            self.assign(&key, &taken_as(&value, &native))?;
            self.types.insert(key, native);
        }
        Ok(())
    }

    fn set(&mut self, names: &[Ident], values: &[Expr]) -> Result<(), QueryError> {
        let mut keys = Vec::new();
        for name in names {
            let key = name.value.to_lowercase();
            let Some(native) = self.types.get(&key).cloned() else {
                return Err(fault(name.span, format!("the variable `{}` is not declared", name.value)));
            };
            keys.push((key, native));
        }
        let span = values.first().map_or_else(Span::empty, Spanned::span);
        let mut sql = Vec::new();
        match values {
            _ if values.len() == keys.len() => {
                for value in values {
                    sql.push(self.value(value)?);
                }
            }
            [row] => {
                // One struct: its fields by their order.
                let row = self.value(row)?;
                self.assign("set$", &format!("({row})"))?;
                for index in 1..=keys.len() {
                    sql.push(format!("struct_extract_at({}, {index})", variable("set$")));
                }
            }
            _ => return Err(fault(span, format!("{} values for {} variables", values.len(), keys.len()))),
        }
        // All values are those before the first is set.
        let mut fresh = Vec::new();
        for ((key, native), value) in keys.iter().zip(sql) {
            let place = format!("{key}$next");
            self.assign(&place, &taken_as(&value, native))?;
            fresh.push((key, place));
        }
        for (key, place) in fresh {
            self.assign(key, &variable(&place))?;
        }
        Ok(())
    }

    fn assign(&self, key: &str, value: &str) -> Result<(), QueryError> {
        let name = Quoted::new(stored(key));
        self.connection
            .execute_batch(&format!("SET VARIABLE {name} = (SELECT {value})"))
            .map_err(|error| engine(&error))
    }

    /// A value of the script, as DuckDB reads it.
    fn value(&self, expr: &Expr) -> Result<String, QueryError> {
        let mut expr = expr.clone();
        TempFunction::inline(&self.functions, &mut expr).map_err(|fault| QueryError::Faults(vec![fault]))?;
        self.bound(&expr, &|parameters| translate_value(&expr, &self.target, parameters), Kind::Value)
    }

    fn type_of(&self, value: &str) -> Result<String, QueryError> {
        self.connection
            .query_row(&format!("SELECT typeof({value})"), [], |row| row.get(0))
            .map_err(|error| engine(&error))
    }

    fn holds(&self, condition: &Expr) -> Result<bool, QueryError> {
        let value = self.value(condition)?;
        self.connection
            .query_row(&format!("SELECT coalesce(CAST({value} AS BOOLEAN), FALSE)"), [], |row| row.get(0))
            .map_err(|error| engine(&error))
    }

    fn text(&self, expr: &Expr) -> Result<Option<String>, QueryError> {
        let value = self.value(expr)?;
        self.connection
            .query_row(&format!("SELECT CAST({value} AS VARCHAR)"), [], |row| row.get(0))
            .map_err(|error| engine(&error))
    }

    fn translated(&self, mut statement: Statement) -> Result<String, QueryError> {
        TempFunction::inline(&self.functions, &mut statement)
            .map_err(|fault| QueryError::Faults(vec![fault]))?;
        self.bound(&statement, &|parameters| bind(&statement, &self.target, parameters), Kind::of(&statement))
    }

    fn statement(&mut self, statement: Statement) -> Result<(), QueryError> {
        let is_query = matches!(statement, Statement::Query(_));
        let dataset = dataset_of_new(&statement).filter(|_| self.makes_datasets);
        let translated = self.translated(statement)?;
        self.carry_out(is_query, dataset.as_ref(), &translated)
    }

    fn carry_out(&mut self, is_query: bool, dataset: Option<&Ident>, sql: &str) -> Result<(), QueryError> {
        if is_query {
            self.result = fetch(self.connection, sql)?;
            return Ok(());
        }
        if let Some(dataset) = dataset {
            let dataset = Quoted::new(dataset.value.as_str());
            let sql = format!("CREATE SCHEMA IF NOT EXISTS {dataset}");
            self.connection.execute_batch(&sql).map_err(|error| engine(&error))?;
        }
        let changes_rows =
            ["INSERT ", "UPDATE ", "DELETE ", "MERGE "].iter().any(|verb| sql.starts_with(verb));
        if changes_rows {
            let count = self.connection.execute(sql, []).map_err(|error| engine(&error))?;
            self.parameters.named.insert("@row_count".to_owned(), count.to_string());
        } else {
            self.connection.execute_batch(sql).map_err(|error| engine(&error))?;
        }
        // The rows of a script are those of its last statement, and this one has none.
        self.result = QueryResult::default();
        Ok(())
    }

    /// A translation in which names that are no columns stand for variables.
    fn bound(
        &self,
        node: &impl Visit,
        translate: &dyn Fn(&Parameters) -> Result<String, Vec<SqlFault>>,
        kind: Kind,
    ) -> Result<String, QueryError> {
        let mut parameters = self.parameters.clone();
        if self.types.is_empty() {
            return translate(&parameters).map_err(QueryError::Faults);
        }
        if kind == Kind::Analyzed {
            let all = self.types.iter().map(|(name, native)| (name.clone(), value_of(name, native)));
            parameters.variables = Some(all.collect());
            parameters.types = self.variable_types()?;
            return translate(&parameters).map_err(QueryError::Faults);
        }
        let is_value = kind == Kind::Value;
        let hidden = self.target.hidden_by(node);
        let mut variables: BTreeMap<String, String> = self
            .types
            .iter()
            .filter(|(name, _)| !hidden.contains(*name))
            .map(|(name, native)| (name.clone(), value_of(name, native)))
            .collect();
        loop {
            parameters.variables = Some(variables.clone());
            let sql = translate(&parameters).map_err(QueryError::Faults)?;
            if self.types.len() == variables.len() {
                return Ok(sql);
            }
            let probe = if is_value { format!("SELECT {sql}") } else { sql.clone() };
            let missing = match self.connection.prepare(&probe) {
                Ok(_) => return Ok(sql),
                Err(error) => missing_name(&error.to_string()),
            };
            let missing = missing.filter(|name| !variables.contains_key(name));
            match missing.and_then(|name| self.types.get(&name).map(|native| (name.clone(), native))) {
                Some((name, native)) => {
                    let value = value_of(&name, native);
                    variables.insert(name, value);
                }
                // Beside a name that it does not know the engine may not find the function: all names are variables
                // then, if that makes sense.
                None => {
                    let all = self.types.iter().map(|(name, native)| (name.clone(), value_of(name, native)));
                    parameters.variables = Some(all.collect());
                    let other = translate(&parameters).map_err(QueryError::Faults)?;
                    let probe = if is_value { format!("SELECT {other}") } else { other.clone() };
                    return Ok(if self.connection.prepare(&probe).is_ok() { other } else { sql });
                }
            }
        }
    }

    /// The variables' types in GoogleSQL.
    fn variable_types(&self) -> Result<BTreeMap<String, Type>, QueryError> {
        let list: Vec<String> = self
            .types
            .iter()
            .map(|(name, native)| format!("CAST(NULL AS {native}) AS {}", Quoted::new(name)))
            .collect();
        let columns = columns(self.connection, &format!("SELECT {} LIMIT 0", list.join(", ")))?;
        Ok(columns.into_iter().map(|column| (column.name, column.data_type)).collect())
    }

    fn for_rows(&mut self, name: &Ident, query: &Query, body: &[Command]) -> Result<Next, QueryError> {
        let mut query = query.clone();
        TempFunction::inline(&self.functions, &mut query).map_err(|fault| QueryError::Faults(vec![fault]))?;
        let statement = Statement::Query(Box::new(query));
        let sql =
            self.bound(&statement, &|parameters| bind(&statement, &self.target, parameters), Kind::Analyzed)?;
        let (rows, key) = (format!("{}$rows", name.value.to_lowercase()), name.value.to_lowercase());
        self.assign(&rows, &format!("list(entry) FROM ({sql}) AS entry"))?;
        let all = variable(&rows);
        let count: i64 = self
            .connection
            .query_row(&format!("SELECT coalesce(len({all}), 0)"), [], |row| row.get(0))
            .map_err(|error| engine(&error))?;
        let types = self.types.clone();
        if count > 0 {
            let native = self.type_of(&format!("{all}[1]"))?;
            self.types.insert(key.clone(), native);
        }
        let mut outcome = Next::Go;
        for index in 1..=count {
            self.round()?;
            self.assign(&key, &format!("{all}[{index}]"))?;
            match self.all(body)? {
                Next::Break => break,
                Next::Return => {
                    outcome = Next::Return;
                    break;
                }
                Next::Go | Next::Continue => {}
            }
        }
        self.types = types;
        Ok(outcome)
    }

    fn execute(
        &mut self,
        sql: &Expr,
        into: &[Ident],
        using: &[(Option<Ident>, Expr)],
    ) -> Result<(), QueryError> {
        let Some(text) = self.text(sql)? else {
            return Err(fault(sql.span(), "the statement of EXECUTE IMMEDIATE is NULL".to_owned()));
        };
        let mut parameters = Parameters::default();
        for (name, value) in using {
            let value = self.value(value)?;
            match name {
                Some(name) => {
                    parameters.named.insert(name.value.to_lowercase(), value);
                }
                None => parameters.positional.push(value),
            }
        }
        // Faults inside of the text are told at the statement that holds it.
        let faults = |faults: Vec<SqlFault>| {
            QueryError::Faults(
                faults.into_iter().map(|inner| SqlFault { span: sql.span(), ..inner }).collect(),
            )
        };
        let commands = read(&text).map_err(|inner| faults(vec![inner]))?;
        let [Command::Statement(statement)] = commands.as_slice() else {
            return Err(fault(sql.span(), "EXECUTE IMMEDIATE takes one statement of SQL".to_owned()));
        };
        let mut statement = statement.as_ref().clone();
        TempFunction::inline(&self.functions, &mut statement).map_err(|inner| faults(vec![inner]))?;
        let translated = bind(&statement, &self.target, &parameters).map_err(faults)?;
        if into.is_empty() {
            let is_query = matches!(statement, Statement::Query(_));
            let dataset = dataset_of_new(&statement).filter(|_| self.makes_datasets);
            return self.carry_out(is_query, dataset.as_ref(), &translated);
        }
        self.assign("into$", &format!("list(entry) FROM ({translated}) AS entry"))?;
        let rows = variable("into$");
        let count: i64 = self
            .connection
            .query_row(&format!("SELECT coalesce(len({rows}), 0)"), [], |row| row.get(0))
            .map_err(|error| engine(&error))?;
        if count > 1 {
            return Err(fault(sql.span(), "EXECUTE IMMEDIATE INTO takes one row".to_owned()));
        }
        for (index, name) in into.iter().enumerate() {
            let key = name.value.to_lowercase();
            let Some(native) = self.types.get(&key) else {
                return Err(fault(name.span, format!("the variable `{}` is not declared", name.value)));
            };
            let value = if count == 0 {
                "NULL".to_owned()
            } else {
                format!("struct_extract_at({rows}[1], {})", index + 1)
            };
            self.assign(&key, &taken_as(&value, native))?;
        }
        Ok(())
    }
}

fn is_query(command: &Command) -> bool {
    matches!(command, Command::Statement(statement) if matches!(**statement, Statement::Query(_)))
}

fn fault(span: Span, message: String) -> QueryError {
    QueryError::Faults(vec![SqlFault::new(Code::SqlInvalid, span, message)])
}
