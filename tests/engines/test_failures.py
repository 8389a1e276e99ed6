"""What is told of an engine's failure."""

from __future__ import annotations

from pyspark.errors.exceptions.connect import SparkException

from dataos_dagster.engines.failures import engine_message

TRACE = """org.apache.spark.SparkException
\tat org.apache.spark.sql.errors.QueryExecutionErrors$.taskFailed(QueryExecutionErrors.scala:814)
Caused by: java.lang.RuntimeException: wrapped
\tat org.example.Task.run(Task.java:7)
Caused by: org.apache.spark.SparkRuntimeException: [USER_RAISED_EXCEPTION] boom
on two lines
\tat org.example.Task.run(Task.java:8)"""


def failure(message, condition):
    return SparkException(message, errorClass=condition, server_stacktrace=TRACE)


def test_what_only_says_that_a_task_failed_is_told_by_its_cause():
    error = failure("[TASK_WRITE_FAILED] Task failed while writing rows to file:/x.", "TASK_WRITE_FAILED")
    assert engine_message(error) == "[USER_RAISED_EXCEPTION] boom\non two lines"


def test_an_error_that_says_what_is_wrong_is_told_as_it_is():
    error = failure("[DIVIDE_BY_ZERO] Division by zero.", "DIVIDE_BY_ZERO")
    assert engine_message(error) == "[DIVIDE_BY_ZERO] Division by zero."
