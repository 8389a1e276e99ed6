"""The real servers that tests talk to: how each is installed, started and stopped.

One module an engine. Each offers `missing() -> str | None` (the reason why it cannot be used here), `install()`, and,
for a server, a `start_…()` that returns a value with everything a test needs to connect and a `stop()`.
All listen on 127.0.0.1 at a free port; all downloads go to `cache_folder()`, outside of the repository.
"""

# Name of an engine: module of this package. Java comes first, because others are installed with it.
ENGINES = {
    "java": "java",
    "postgresql": "postgresql",
    "mariadb": "mariadb",
    "s3": "s3",
    "iceberg_rest": "iceberg_rest",
    "kafka": "kafka",
    "mongodb": "mongodb",
    "spark_jars": "spark_jars",
    "chromium": "browser",
}
