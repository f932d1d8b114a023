//! The catalogue of diagnostic codes: one per kind of fault, grouped by area, never reused.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use std::fmt;

/// The part of the work that a code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// `PW01xx`: YAML text and the shape of the manifest.
    Manifest,
    /// `PW02xx`: names and references between the manifest's parts.
    Reference,
    /// `PW03xx`: templates.
    Template,
    /// `PW04xx`: GoogleSQL.
    Sql,
    /// `PW05xx`: plans and the target as it is.
    Plan,
    /// `PW06xx`: loading files.
    Load,
    /// `PW07xx`: running and publishing.
    Run,
    /// `PW08xx`: the command line and the machine around it.
    Environment,
    /// `PW08xx`: what a target that is reached refuses.
    Target,
    /// `PW09xx`: faults of Pipewright itself.
    Internal,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal in $area:ident;)+) => {
        /// What kind of fault a diagnostic reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable identifier, `PW0102`.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// What the code means, as its reference says it.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+).trim_ascii(),)+ }
            }

            /// The area it belongs to.
            pub fn area(self) -> Area {
                match self { $(Self::$name => Area::$area,)+ }
            }
        }
    };
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|code| code.id() == id);
        known.copied().ok_or_else(|| serde::de::Error::custom(format!("unknown code `{id}`")))
    }
}

codes! {
    /// The YAML text cannot be read.
    YamlSyntax = "PW0101" in Manifest;
    /// A key that the manifest does not have.
    UnknownKey = "PW0102" in Manifest;
    /// A value of another type than the field takes.
    WrongType = "PW0103" in Manifest;
    /// A required key is missing.
    MissingKey = "PW0104" in Manifest;
    /// A value outside of what the field takes.
    BadValue = "PW0105" in Manifest;
    /// The same key twice in one mapping.
    DuplicateKey = "PW0106" in Manifest;
    /// The YAML nests too deeply.
    TooDeep = "PW0107" in Manifest;
    /// Aliases unfold to more than a manifest can sensibly hold.
    AliasBomb = "PW0108" in Manifest;
    /// A file that is included cannot be read, or a pattern is malformed.
    UnreadableInclude = "PW0109" in Manifest;
    /// An include pattern matches no file.
    EmptyInclude = "PW0110" in Manifest;
    /// An environment variable without value and without default.
    UnsetVariable = "PW0111" in Manifest;
    /// A `${…}` that is not well formed.
    BadSubstitution = "PW0112" in Manifest;
    /// A schedule that is no cron expression.
    BadCron = "PW0113" in Manifest;
    /// A time zone that the IANA database does not have.
    BadTimeZone = "PW0114" in Manifest;
    /// A column type that BigQuery does not have.
    BadType = "PW0115" in Manifest;
    /// A YAML construct that a manifest has no use for.
    UnsupportedYaml = "PW0117" in Manifest;

    /// Two things of the same kind have the same name.
    DuplicateName = "PW0201" in Reference;
    /// A name that nothing in the manifest has.
    UnknownReference = "PW0202" in Reference;
    /// Models refer to each other in a circle.
    Cycle = "PW0203" in Reference;
    /// A model without its SQL file.
    MissingSqlFile = "PW0204" in Reference;
    /// A name that cannot be used for a table, a column or a node.
    BadName = "PW0205" in Reference;
    /// A selection that matches nothing.
    EmptySelection = "PW0206" in Reference;
    /// An SQL file that no model names.
    OrphanSqlFile = "PW0207" in Reference;
    /// A column named in the manifest that its table does not have.
    UnknownDeclaredColumn = "PW0208" in Reference;
    /// A column's declared type is not the type that its query gives.
    DeclaredTypeDiffers = "PW0209" in Reference;

    /// The template cannot be parsed.
    TemplateSyntax = "PW0301" in Template;
    /// A name that the template language does not have.
    TemplateUnknownName = "PW0302" in Template;
    /// A template that fails while it is rendered.
    TemplateFailed = "PW0303" in Template;
    /// A macro file that cannot be used.
    BadMacro = "PW0304" in Template;
    /// `var()` of a variable that the manifest does not declare.
    UnknownVar = "PW0305" in Template;

    /// The SQL cannot be parsed.
    SqlSyntax = "PW0401" in Sql;
    /// The SQL is not the one query that is wanted here.
    SqlNotAQuery = "PW0402" in Sql;
    /// A table that neither the manifest nor the query has.
    SqlUnknownTable = "PW0403" in Sql;
    /// A column that no table in scope has.
    SqlUnknownColumn = "PW0404" in Sql;
    /// A column that several tables in scope have.
    SqlAmbiguousColumn = "PW0405" in Sql;
    /// A function that BigQuery does not have.
    SqlUnknownFunction = "PW0406" in Sql;
    /// Arguments or operands of types that do not go together.
    SqlTypeMismatch = "PW0407" in Sql;
    /// A function called with too few or too many arguments.
    SqlWrongArguments = "PW0408" in Sql;
    /// An aggregate where none may stand, or a column that is neither grouped nor aggregated.
    SqlAggregation = "PW0409" in Sql;
    /// A result with two columns of one name, or a column without one.
    SqlColumnNames = "PW0410" in Sql;
    /// Queries of a set operation that do not match.
    SqlSetOperation = "PW0411" in Sql;
    /// A construct that the embedded engine has no translation for.
    SqlNotTranslated = "PW0412" in Sql;
    /// A query parameter that nothing declares.
    SqlUnknownParameter = "PW0413" in Sql;
    /// A construct that is valid nowhere in GoogleSQL.
    SqlInvalid = "PW0414" in Sql;
    /// The query uses a table that its template does not name with `ref` or `source`.
    SqlUndeclaredTable = "PW0415" in Sql;

    /// An object in the target stands where the manifest wants to build, and Pipewright did not make it, or nothing is
    /// remembered of the rows that it gathered.
    ForeignObject = "PW0501" in Plan;
    /// A saved plan no longer fits the manifest or the target.
    StalePlan = "PW0502" in Plan;
    /// A plan file that cannot be read.
    BadPlanFile = "PW0503" in Plan;
    /// An object would be dropped, and that was not allowed.
    DropNotAllowed = "PW0504" in Plan;
    /// State written by a newer Pipewright.
    NewerState = "PW0505" in Plan;
    /// A selected node reads one that is neither in the target nor selected.
    IncompleteSelection = "PW0507" in Plan;
    /// The columns of an incremental table have changed in a way that the manifest does not allow.
    IncrementRefused = "PW0508" in Plan;
    /// The target would not run a model's query.
    QueryRefused = "PW0509" in Plan;

    /// No file matches a source's pattern.
    NoSourceFile = "PW0601" in Load;
    /// A file's header does not fit the declared columns.
    HeaderMismatch = "PW0602" in Load;
    /// A row that cannot be parsed.
    BadRow = "PW0603" in Load;
    /// More rows rejected than the source allows.
    TooManyRejects = "PW0604" in Load;
    /// A file that cannot be read or decoded.
    UnreadableFile = "PW0605" in Load;
    /// Rows read are not rows written plus rows rejected.
    RowsLost = "PW0606" in Load;

    /// A critical expectation failed.
    ExpectationFailed = "PW0701" in Run;
    /// An expectation that could not be evaluated.
    ExpectationErrored = "PW0702" in Run;
    /// A step failed in the engine.
    StepFailed = "PW0703" in Run;
    /// A step took longer than it may.
    TimedOut = "PW0705" in Run;
    /// The run was interrupted.
    Interrupted = "PW0706" in Run;
    /// A query failed.
    QueryFailed = "PW0707" in Run;
    /// A table would be empty, or lose more of its rows than it may.
    Shrunk = "PW0708" in Run;
    /// Rows that are to be brought into a table by a key lack a value of it, or share one.
    KeyNotUnique = "PW0709" in Run;
    /// Labels, policy tags, row access policies or grants of a published table are lost, or would be.
    GovernanceLost = "PW0710" in Run;

    /// The project or a file of it was not found.
    ProjectNotFound = "PW0801" in Environment;
    /// The file system refused.
    Io = "PW0802" in Environment;
    /// Another process holds the target.
    Locked = "PW0803" in Environment;
    /// The target cannot be opened, or does not answer.
    TargetUnavailable = "PW0804" in Environment;
    /// The command line does not make sense.
    Usage = "PW0805" in Environment;
    /// Generated files are out of date.
    Outdated = "PW0806" in Environment;
    /// Credentials that are missing, malformed or expired.
    CredentialsRefused = "PW0807" in Target;
    /// The account may not do what is asked for.
    AccessDenied = "PW0808" in Target;
    /// More is asked for than the project's quota allows.
    QuotaExceeded = "PW0809" in Target;
    /// A query would read more bytes than it may.
    TooExpensive = "PW0810" in Target;
    /// The project, dataset or location of a target is not there, or is not set up for BigQuery.
    TargetNotFound = "PW0811" in Target;

    /// A fault of Pipewright itself.
    Internal = "PW0901" in Internal;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_unique_and_ordered() {
        let ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted);
    }
}
