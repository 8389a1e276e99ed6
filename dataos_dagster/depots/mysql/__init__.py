"""MySQL and MariaDB: rows move through Spark's JDBC source, and are put in place by a connection of our own."""
