"""SQL that a job's steps hold."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "sql-syntax",
        "SQL that no engine accepts",
        "A bracket or quote has no counterpart, a keyword is misspelt, a comma is missing, or the text ends where "
        "something has to follow. "
        "The job is shown and does not run until it is mended; other jobs do.",
        wrong="sql: SELECT customer, sum(amount FROM orders GROUP BY customer",
        right="sql: SELECT customer, sum(amount) FROM orders GROUP BY customer",
    ),
    CodeEntry(
        "sql-misplaced",
        "SQL that stands at the wrong place",
        "A clause stands behind one that comes later, an aggregate or a window function stands among the conditions of "
        "rows, or an aggregate inside another. The order is WHERE, GROUP BY, HAVING, ORDER BY, LIMIT; WHERE and ON "
        "choose rows before they are aggregated, and HAVING chooses groups. "
        "The job is shown and does not run until it is mended; other jobs do.",
        wrong="sql: SELECT customer FROM orders WHERE sum(amount) > 3 GROUP BY customer",
        right="sql: SELECT customer FROM orders GROUP BY customer HAVING sum(amount) > 3",
    ),
    CodeEntry(
        "sql-not-read",
        "SQL that only Spark may know",
        "The parser does not understand this text: most often it is wrong, and sometimes it is a form of Spark SQL "
        "that the parser does not know. What a query reads is found in its words then, the job goes to Spark, which "
        "knows, and the lineage of its columns is not followed. Expressions of functions and conditions have to be "
        "read: there, it is an error.",
        wrong="sql: SELECT customer, amount FROM orders WITHOUT customer",
        right="sql: SELECT * EXCEPT (customer) FROM orders",
    ),
    CodeEntry(
        "query-not-run",
        "A query that only the platform's query engine answers",
        "An input's `query` is in the SQL of Trino, and is answered here where PostgreSQL or Spark returns the same. "
        "This one asks a semantic model, or holds what may return something else in Spark. The job is read and left "
        "out.",
        wrong="query: SELECT avg(amount) AS mean FROM lakehouse.sales.orders",
        right="query: SELECT avg(CAST(amount AS double)) AS mean FROM lakehouse.sales.orders",
    ),
    CodeEntry(
        "sql-refused",
        "SQL that does more than a step may",
        "A step is one query over inputs and earlier steps. It changes nothing, opens no files and calls no Java: what "
        "is read stands in `inputs`, what is written in `outputs`, so that rights, lineage and order are known.",
        wrong="sql: SELECT * FROM parquet.`/data/orders`",
        right="sql: SELECT * FROM orders   # and an input: {name: orders, dataset: /data/orders, format: parquet}",
    ),
)
