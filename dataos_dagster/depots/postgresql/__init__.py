"""PostgreSQL: through Arrow on the embedded engine, through JDBC on Spark, with the same rows and types."""
