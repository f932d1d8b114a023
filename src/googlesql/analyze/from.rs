//! FROM: tables, subqueries, joins and arrays.

use std::rc::Rc;

use sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias, TableFactor,
    TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::coerce::{Verdict, common_of_two, comparable};
use super::expression::span_of;
use super::query::Output;
use super::scope::{
    Attribute, Columns, From, Lookup, Merged, Origin, Recorder, Relation, Scope, Star, mix, print_of,
    same_name,
};
use super::sources::Sources;
use super::value::Value;
use crate::diag::{Code, did_you_mean};
use crate::googlesql::{SqlFault, Type};

/// WITH OFFSET.
#[derive(Debug, Clone, Copy)]
enum Offset<'q> {
    No,
    Named(&'q str),
}

impl<'q> Analyzer<'q, '_> {
    /// The tables of a FROM clause.
    pub(super) fn tables_of(&mut self, tables: &'q [TableWithJoins], parent: Option<&Scope<'_, 'q>>) -> From {
        let mut from = From::default();
        for table in tables {
            self.joined(table, &mut from, parent, 0);
        }
        from
    }

    fn joined(
        &mut self,
        table: &'q TableWithJoins,
        from: &mut From,
        parent: Option<&Scope<'_, 'q>>,
        first: usize,
    ) {
        self.factor(&table.relation, from, parent);
        for join in &table.joins {
            let right = from.relations.len();
            self.factor(&join.relation, from, parent);
            self.join(join, from, parent, (first, right));
        }
    }

    fn join(
        &mut self,
        join: &'q Join,
        from: &mut From,
        parent: Option<&Scope<'_, 'q>>,
        (first, right): (usize, usize),
    ) {
        use JoinOperator::{
            Anti, ArrayJoin, AsOf, CrossApply, CrossJoin, FullOuter, Inner, InnerArrayJoin, Left, LeftAnti,
            LeftArrayJoin, LeftOuter, LeftSemi, OuterApply, Right, RightAnti, RightOuter, RightSemi, Semi,
            StraightJoin,
        };
        let span = join.relation.span();
        let (constraint, needed) = match &join.join_operator {
            JoinOperator::Join(constraint) | Inner(constraint) => {
                (constraint, !matches!(join.relation, TableFactor::UNNEST { .. }))
            }
            Left(constraint) | LeftOuter(constraint) => {
                (constraint, !matches!(join.relation, TableFactor::UNNEST { .. }))
            }
            Right(constraint) | RightOuter(constraint) | FullOuter(constraint) => (constraint, true),
            CrossJoin(constraint) => {
                if !matches!(constraint, JoinConstraint::None) {
                    let fault =
                        SqlFault::new(Code::SqlInvalid, span, "a CROSS JOIN takes no ON and no USING");
                    self.fault(fault.help("write JOIN … ON, or filter with WHERE"));
                }
                (constraint, false)
            }
            Semi(constraint)
            | LeftSemi(constraint)
            | RightSemi(constraint)
            | Anti(constraint)
            | LeftAnti(constraint)
            | RightAnti(constraint) => {
                let fault =
                    SqlFault::new(Code::SqlInvalid, span, "GoogleSQL has no SEMI JOIN and no ANTI JOIN");
                self.fault(fault.help("write WHERE EXISTS (SELECT …), or WHERE NOT EXISTS (SELECT …)"));
                (constraint, false)
            }
            StraightJoin(constraint) | AsOf { constraint, .. } => {
                self.wrong(Code::SqlInvalid, span, "GoogleSQL has no such join");
                (constraint, false)
            }
            CrossApply | OuterApply | ArrayJoin | LeftArrayJoin | InnerArrayJoin => {
                let fault = SqlFault::new(Code::SqlInvalid, span, "GoogleSQL has no such join");
                self.fault(fault.help("write CROSS JOIN UNNEST(array), or LEFT JOIN UNNEST(array)"));
                (&JoinConstraint::None, false)
            }
        };
        match constraint {
            JoinConstraint::On(condition) => {
                let recorder = Recorder::default();
                recorder.set_off(true);
                let scope = Scope { parent, from, aliases: &[], recorder: &recorder };
                let value = self.expression(condition, &Context::row(&scope, "JOIN … ON"));
                self.boolean(&value, condition, "ON");
            }
            JoinConstraint::Using(names) => {
                let keeps_right = matches!(join.join_operator, Right(_) | RightOuter(_));
                for (position, name) in names.iter().enumerate() {
                    self.using(name, from, (first, right), (position, keeps_right));
                }
            }
            JoinConstraint::Natural => {
                let fault = SqlFault::new(Code::SqlInvalid, span, "GoogleSQL has no NATURAL JOIN");
                self.fault(fault.help("write JOIN … USING (column, …)"));
            }
            // An array of the row before needs no condition.
            JoinConstraint::None => {
                let is_array =
                    from.relations.get(right).is_some_and(|relation| relation.kind == Origin::Array);
                if needed && !is_array {
                    let fault = SqlFault::new(Code::SqlInvalid, span, "this join has no condition");
                    self.fault(fault.help("add ON …, or USING (…); all pairs of rows are a CROSS JOIN"));
                }
            }
        }
    }

    /// One column of USING: from now on, its name means both.
    fn using(
        &mut self,
        name: &ObjectName,
        from: &mut From,
        (first, right): (usize, usize),
        (position, keeps_right): (usize, bool),
    ) {
        let Some(name) = name.0.last().and_then(|part| part.as_ident()) else { return };
        let (left_hit, right_hit) = {
            let left = from.column_between(&name.value, first, right);
            let right = from.column_between(&name.value, right, from.relations.len());
            let mut sides = Vec::new();
            for (side, lookup) in [("before", left), ("behind", right)] {
                match lookup {
                    Lookup::Column(hit) => {
                        let print = hit
                            .relation
                            .map_or(hit.attribute.print, |relation| relation.print(hit.attribute));
                        sides.push(Some((hit.entry, hit.attribute.clone(), print)));
                    }
                    Lookup::Unknown => sides.push(None),
                    Lookup::Ambiguous => {
                        let message =
                            format!("several tables {side} this JOIN have a column `{}`", name.value);
                        self.wrong(Code::SqlAmbiguousColumn, name.span, message);
                        return;
                    }
                    Lookup::Nothing => {
                        let message = format!("no table {side} this JOIN has a column `{}`", name.value);
                        self.wrong(Code::SqlUnknownColumn, name.span, message);
                        return;
                    }
                }
            }
            let mut sides = sides.into_iter();
            (sides.next().flatten(), sides.next().flatten())
        };
        for (_, attribute, _) in [&left_hit, &right_hit].into_iter().flatten() {
            self.mark_read(attribute);
        }
        let (Some((left_entry, left, left_print)), Some((right_entry, right, right_print))) =
            (left_hit, right_hit)
        else {
            return;
        };
        let data_type = common_of_two(&left.data_type, &right.data_type);
        let good = data_type.as_ref().is_some_and(|data_type| comparable(data_type) != Verdict::No);
        if !good {
            let message = format!(
                "USING cannot compare `{}`: it is {} before the JOIN and {} behind it",
                name.value, left.data_type, right.data_type
            );
            let help = super::operator::cast_advice(&left.data_type, &right.data_type);
            self.fault(SqlFault::new(Code::SqlTypeMismatch, name.span, message).maybe_help(help));
        }
        let mut sources = left.sources.clone();
        sources.add(&right.sources);
        let mut hidden = Vec::new();
        for entry in [left_entry, right_entry] {
            match entry {
                Star::Column(table, column) => hidden.push((table, column)),
                Star::Merged(index) => {
                    if let Some(merged) = from.merged.get_mut(index) {
                        hidden.append(&mut merged.hidden);
                    }
                }
            }
        }
        let attribute = Attribute {
            name: left.name,
            data_type: data_type.unwrap_or(Type::Unknown),
            sources,
            print: if keeps_right { right_print } else { left_print },
            stored: false,
        };
        from.star.retain(|entry| *entry != left_entry && *entry != right_entry);
        let place = position.min(from.star.len());
        from.star.insert(place, Star::Merged(from.merged.len()));
        from.merged.push(Merged { attribute, hidden });
    }

    /// One table of FROM.
    fn factor(&mut self, factor: &'q TableFactor, from: &mut From, parent: Option<&Scope<'_, 'q>>) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                self.named_table(name, alias.as_ref(), from, parent);
            }
            TableFactor::Derived { subquery, alias, lateral, .. } => {
                if *lateral {
                    self.wrong(Code::SqlInvalid, subquery.span(), "GoogleSQL has no LATERAL");
                }
                let output = self.query(subquery, parent);
                let alias = self.alias_name(alias.as_ref());
                self.derived_table(&output, alias, from);
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias, .. } => {
                let recorder = Recorder::default();
                recorder.set_off(true);
                let scope = Scope { parent, from, aliases: &[], recorder: &recorder };
                let context = Context::row(&scope, "UNNEST");
                let values: Vec<(Value<'q>, &'q Expr)> =
                    array_exprs.iter().map(|array| (self.expression(array, &context), array)).collect();
                if values.len() > 1 {
                    self.unchecked(factor.span(), "UNNEST of several arrays is not checked");
                }
                let offset = match (with_offset, with_offset_alias) {
                    (false, _) => Offset::No,
                    (true, None) => Offset::Named("offset"),
                    (true, Some(alias)) => Offset::Named(&alias.value),
                };
                let alias = alias.as_ref().map(|alias| &alias.name);
                if let Some((value, place)) = values.into_iter().next() {
                    self.elements(&value, span_of(place), (alias, offset), from);
                }
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                let first = from.relations.len();
                self.joined(table_with_joins, from, parent, first);
            }
            TableFactor::Pivot { table, alias, .. } | TableFactor::Unpivot { table, alias, .. } => {
                self.reshaped(factor, table, alias.as_ref(), from, parent);
            }
            TableFactor::Table { alias, .. }
            | TableFactor::TableFunction { alias, .. }
            | TableFactor::Function { alias, .. } => {
                self.unchecked(factor.span(), "the columns of a table function are not known");
                let alias = self.alias_name(alias.as_ref());
                self.open_table(alias, from);
            }
            other => {
                self.unchecked(other.span(), "this form of table is not checked");
                self.open_table(None, from);
            }
        }
    }

    /// A table behind PIVOT or UNPIVOT.
    fn reshaped(
        &mut self,
        factor: &'q TableFactor,
        table: &'q TableFactor,
        alias: Option<&'q TableAlias>,
        from: &mut From,
        parent: Option<&Scope<'_, 'q>>,
    ) {
        let mut inner = From::default();
        self.factor(table, &mut inner, parent);
        let alias = self.alias_name(alias);
        if let Some(output) = self.reshape(factor, &inner, parent) {
            self.derived_table(&output, alias, from);
            return;
        }
        for attribute in inner.relations.iter().flat_map(|relation| &relation.columns.list) {
            self.mark_read(attribute);
        }
        self.unchecked(table.span(), "the columns that PIVOT or UNPIVOT makes are not known");
        let own = inner.relations.first().and_then(|relation| relation.alias.clone());
        self.open_table(alias.or(own), from);
    }

    fn open_table(&mut self, alias: Option<Rc<str>>, from: &mut From) {
        let columns = Rc::new(Columns::new(Vec::new(), true));
        let salt = self.fresh();
        from.push(Relation { alias, columns, row: None, salt, kind: Origin::Query });
    }

    /// The name of an alias; a fault when it renames columns too.
    fn alias_name(&mut self, alias: Option<&'q TableAlias>) -> Option<Rc<str>> {
        let alias = alias?;
        if let Some(column) = alias.columns.first() {
            let message = "GoogleSQL does not rename columns in the alias of a table";
            let fault = SqlFault::new(Code::SqlInvalid, column.name.span, message);
            self.fault(fault.help("rename them in the subquery: SELECT … AS name"));
        }
        Some(alias.name.value.as_str().into())
    }

    fn derived_table(&mut self, output: &Output<'q>, alias: Option<Rc<str>>, from: &mut From) {
        let attributes = self.attributes_of(output);
        let row = Self::row_of(output, &attributes);
        let columns = Rc::new(Columns::new(attributes, output.open));
        self.add(Relation { alias, columns, row, salt: 0, kind: Origin::Query }, Span::empty(), from);
    }

    /// Adds a table; two of one name are a fault.
    fn add(&mut self, relation: Relation, span: Span, from: &mut From) {
        if let Some(alias) = &relation.alias
            && from.relation(alias).is_some()
        {
            let message = format!("two tables of this FROM are called `{alias}`");
            self.fault(SqlFault::new(Code::SqlInvalid, span, message).help("give one of them an alias"));
        }
        from.push(relation);
    }

    /// A table by name: of WITH, of the catalog, or an array of a table before it.
    fn named_table(
        &mut self,
        name: &'q ObjectName,
        alias: Option<&'q TableAlias>,
        from: &mut From,
        parent: Option<&Scope<'_, 'q>>,
    ) {
        let idents: Vec<&'q Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let path: Vec<String> =
            idents.iter().flat_map(|ident| ident.value.split('.')).map(str::to_owned).collect();
        let span = name.span();
        if let ([single], 1) = (idents.as_slice(), path.len())
            && let Some(cte) = self.ctes.iter().rev().find(|cte| same_name(cte.name, &single.value)).cloned()
        {
            let alias = self.alias_name(alias).unwrap_or_else(|| cte.name.into());
            let salt = self.fresh();
            self.add(
                Relation {
                    alias: Some(alias),
                    columns: cte.columns,
                    row: cte.row,
                    salt,
                    kind: Origin::Query,
                },
                span,
                from,
            );
            return;
        }
        if idents.len() > 1
            && let Some(first) = idents.first()
            && Self::is_table_name(&first.value, from, parent)
        {
            let recorder = Recorder::default();
            recorder.set_off(true);
            let scope = Scope { parent, from, aliases: &[], recorder: &recorder };
            let value = self.path(&idents, &Context::row(&scope, "FROM"));
            let own = alias.map(|alias| &alias.name).or(idents.last().copied());
            self.elements(&value, span, (own, Offset::No), from);
            return;
        }
        let alias = self.alias_name(alias).or_else(|| path.last().map(|last| last.as_str().into()));
        if let Some(loaded) = self.load(&path) {
            self.mark_used(path, span, &loaded.name);
            let salt = self.fresh();
            let columns = Rc::clone(&loaded.columns);
            self.add(Relation { alias, columns, row: None, salt, kind: Origin::Catalog }, span, from);
            return;
        }
        // `dataset.table.array` of a table that stands before it.
        let is_array =
            (2..path.len()).any(|count| path.get(..count).is_some_and(|start| self.load(start).is_some()));
        let dynamic = is_array
            || path.last().is_some_and(|last| last.ends_with('*'))
            || path.iter().any(|part| part.eq_ignore_ascii_case("INFORMATION_SCHEMA"));
        if dynamic {
            self.unchecked(span, format!("the columns of `{}` are not known here", path.join(".")));
        } else {
            self.no_table(&path, span);
        }
        self.open_table(alias, from);
    }

    fn no_table(&mut self, path: &[String], span: Span) {
        let written = path.join(".");
        let mut known = self.catalog.table_names();
        known.extend(self.ctes.iter().map(|cte| cte.name.to_owned()));
        let last = path.last().map(String::as_str).unwrap_or_default();
        // The same table in another dataset is nearer than any other spelling.
        let elsewhere = known
            .iter()
            .find(|name| name.rsplit('.').next().is_some_and(|table| same_name(table, last)))
            .map(|name| format!("did you mean `{name}`?"));
        let help = elsewhere.or_else(|| did_you_mean(&written, known.iter().map(String::as_str)));
        let message = format!("there is no table `{written}`");
        self.fault(SqlFault::new(Code::SqlUnknownTable, span, message).maybe_help(help));
    }

    fn is_table_name(name: &str, from: &From, parent: Option<&Scope<'_, 'q>>) -> bool {
        if from.relation(name).is_some() {
            return true;
        }
        let mut level = parent;
        while let Some(scope) = level {
            if scope.from.relation(name).is_some() {
                return true;
            }
            level = scope.parent;
        }
        false
    }

    /// The elements of an array as a table, with their positions if wanted.
    fn elements(
        &mut self,
        array: &Value<'q>,
        span: Span,
        (alias, offset): (Option<&'q Ident>, Offset<'q>),
        from: &mut From,
    ) {
        let element = match &array.data_type {
            Type::Array(element) => (**element).clone(),
            Type::Unknown => Type::Unknown,
            other => {
                let message = format!("UNNEST takes an array, and this is {}", array.shown());
                let fault = SqlFault::new(Code::SqlTypeMismatch, span, message);
                let help = match other {
                    Type::Json => Some("JSON_QUERY_ARRAY(json) makes an array of it"),
                    Type::String => Some("SPLIT(text, ',') makes an array of it"),
                    _ => None,
                };
                self.fault(fault.maybe_help(help.map(str::to_owned)));
                Type::Unknown
            }
        };
        let salt = self.fresh();
        let attribute = |name: Option<Rc<str>>, data_type: Type, print: u64| Attribute {
            name,
            data_type,
            sources: array.sources.clone(),
            print,
            stored: false,
        };
        let name: Option<Rc<str>> = alias.map(|alias| alias.value.as_str().into());
        let (columns, row) = match element {
            Type::Struct(fields) => {
                self.resolved.add_structs(span);
                let whole = Type::Struct(fields.clone());
                let columns = fields.into_iter().map(|field| {
                    let own = print_of(&field.name.as_deref().unwrap_or_default().to_lowercase());
                    attribute(field.name.map(Into::into), field.data_type, mix(mix(1, 1), own))
                });
                (Columns::new(columns.collect(), false), Some(attribute(name.clone(), whole, mix(1, 1))))
            }
            Type::Unknown => {
                let row = attribute(name.clone(), Type::Unknown, mix(1, 1));
                (Columns::new(Vec::new(), true), Some(row))
            }
            element => {
                let row = attribute(name.clone(), element, mix(1, 1));
                (Columns::new(vec![row.clone()], false), Some(row))
            }
        };
        let relation = Relation { alias: name, columns: Rc::new(columns), row, salt, kind: Origin::Array };
        self.add(relation, alias.map_or(span, |alias| alias.span), from);
        if let Offset::Named(offset) = offset {
            let name: Rc<str> = offset.into();
            let column = Attribute {
                name: Some(name),
                data_type: Type::Int64,
                sources: Sources::None,
                print: mix(2, 2),
                stored: false,
            };
            let columns = Rc::new(Columns::new(vec![column], false));
            let salt = self.fresh();
            from.push(Relation { alias: None, columns, row: None, salt, kind: Origin::Array });
        }
    }
}
