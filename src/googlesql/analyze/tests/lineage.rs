//! Where columns come from, and which are read.

use super::analyze;

/// The lineage of each column, as `name < table.column, …`.
fn lineage(sql: &str) -> Vec<String> {
    let analysis = analyze(sql).unwrap_or_else(|faults| panic!("{sql}: {faults:?}"));
    analysis
        .columns
        .iter()
        .map(|output| {
            let sources: Vec<String> =
                output.lineage.iter().map(|source| format!("{}.{}", source.table, source.column)).collect();
            format!("{} < {}", output.column.name, sources.join(", "))
        })
        .collect()
}

/// The columns read, as `table: column, …`.
fn reads(sql: &str) -> Vec<String> {
    let analysis = analyze(sql).unwrap_or_else(|faults| panic!("{sql}: {faults:?}"));
    analysis
        .reads
        .iter()
        .map(|(table, columns)| {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            format!("{table}: {}", columns.join(", "))
        })
        .collect()
}

#[test]
fn columns_are_followed_through_subqueries_and_joins() {
    let sql = "
        WITH totals AS (
            SELECT order_id, SUM(price + freight) AS total, COUNT(*) AS lines FROM shop.items GROUP BY order_id
        )
        SELECT o.order_id, UPPER(o.status) AS status, t.total, t.lines, t.total > 100 AS large
        FROM shop.orders AS o
        LEFT JOIN totals AS t ON t.order_id = o.order_id
        WHERE o.placed_at IS NOT NULL";
    assert_eq!(
        lineage(sql),
        [
            "order_id < shop.orders.order_id",
            "status < shop.orders.status",
            "total < shop.items.freight, shop.items.price",
            "lines < ",
            "large < shop.items.freight, shop.items.price",
        ]
    );
    assert_eq!(
        reads(sql),
        ["shop.items: freight, order_id, price", "shop.orders: order_id, placed_at, status"]
    );
}

#[test]
fn stars_using_and_unions_keep_their_sources() {
    assert_eq!(
        lineage("SELECT * EXCEPT (customer_id, placed_at) FROM shop.orders JOIN shop.items USING (order_id)"),
        [
            "order_id < shop.items.order_id, shop.orders.order_id",
            "status < shop.orders.status",
            "price < shop.items.price",
            "freight < shop.items.freight",
        ]
    );
    assert_eq!(
        lineage("SELECT status AS x FROM shop.orders UNION ALL SELECT k FROM ds.u"),
        ["x < ds.u.k, shop.orders.status"]
    );
    assert_eq!(lineage("SELECT o FROM (SELECT status FROM shop.orders) AS o"), ["o < shop.orders.status"]);
}

#[test]
fn arrays_structs_windows_and_subqueries_keep_their_sources() {
    assert_eq!(lineage("SELECT e.x AS x FROM ds.t, UNNEST(ast) AS e"), ["x < ds.t.ast"]);
    assert_eq!(lineage("SELECT st.x FROM ds.t"), ["x < ds.t.st"]);
    assert_eq!(
        lineage("SELECT RANK() OVER (PARTITION BY s ORDER BY d) AS place FROM ds.t"),
        ["place < ds.t.d, ds.t.s"]
    );
    assert_eq!(
        lineage("SELECT (SELECT MAX(v) FROM ds.u WHERE u.i = t.i) AS top FROM ds.t"),
        ["top < ds.u.v"]
    );
    assert_eq!(
        reads("SELECT (SELECT MAX(v) FROM ds.u WHERE u.i = t.i) AS top FROM ds.t"),
        ["ds.t: i", "ds.u: i, v"]
    );
    assert_eq!(
        lineage(
            "WITH RECURSIVE r AS (SELECT i AS n FROM ds.u UNION ALL SELECT r.n + 1 FROM r JOIN ds.t ON r.n = t.i) \
             SELECT n FROM r"
        ),
        ["n < ds.u.i"]
    );
}

#[test]
fn tables_are_listed_as_written_and_rows_alone_read_no_column() {
    let analysis =
        analyze("SELECT COUNT(*) AS n FROM `my-project.shop.orders`\nCROSS JOIN shop.items").expect("valid");
    let tables: Vec<(String, u64)> =
        analysis.tables.iter().map(|(path, span)| (path.join("."), span.start.line)).collect();
    assert_eq!(tables, [("my-project.shop.orders".to_owned(), 1), ("shop.items".to_owned(), 2)]);
    assert_eq!(reads("SELECT COUNT(*) AS n FROM shop.orders"), ["shop.orders: "]);
}

#[test]
fn a_name_of_with_hides_a_table_and_ends_with_its_query() {
    assert_eq!(reads("WITH u AS (SELECT 1 AS k) SELECT k FROM u"), Vec::<String>::new());
    let sql = "SELECT x.k FROM (WITH u AS (SELECT 1 AS k) SELECT k FROM u) AS x JOIN ds.u ON u.i = x.k";
    assert_eq!(reads(sql), ["ds.u: i"]);
}
