"""A job of functions that is run again over what it wrote before: engines have several types for text inside."""

from __future__ import annotations

JOB = """\
inputs:
  - {name: people, dataset: "dataos://lakehouse:r/people"}
steps:
  - sequence:
      - name: result
        sql: SELECT * FROM people
        functions:
          - {name: change_case, column: name, case: title}
          - {name: find_and_replace, column: phone, sedExpression: "s/-//g"}
          - {name: split_url, column: site}
          - {name: encode, column: phone, asColumn: code, algo: base64}
          - {name: merge, columns: [name, phone], separator: " ", asColumn: label}
          - {name: any_timestamp, column: day}
          - {name: hash, column: label, algo: MD5}
outputs:
  - name: result
    dataset: dataos://lakehouse:r/result
    options: {saveMode: overwrite}
  - name: result
    dataset: dataos://lakehouse:r/history
    options: {saveMode: append}
"""


def test_the_table_takes_the_same_columns_again(project):
    project.seed(
        "dataos://lakehouse:r/people",
        "SELECT 'ann LEE' AS name, '1-2' AS phone, 'http://h/p' AS site, '4.3.2021 10:00' AS day",
    )
    first, second = project.run_job(JOB), project.run_job(JOB)
    assert [output.rows for output in first.outputs] == [output.rows for output in second.outputs] == [1, 1]
    columns, rows = project.table("dataos://lakehouse:r/result")
    assert columns[:4] == ["name string", "phone string", "site string", "day timestamp"]
    assert rows[0][:2] == ("Ann Lee", "12")
    assert project.table("dataos://lakehouse:r/history") == (columns, rows * 2)
