"""The files of a new project: a depot of files, a lakehouse, and a workflow that brings one into the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OUTSIDE = re.compile(r"[^a-z0-9]+")

DEPOT = """\
# A folder of files. `dataos://{depot}:none/orders.csv` is the file orders.csv in it.
name: {depot}
version: v2alpha
type: depot
description: Files of {title}.
depot:
  type: file
  external: true
  file:
    path: {data}
"""

WORKFLOW = """\
# Reads a file, and writes a table of the lakehouse that every project has.
name: {name}-daily
version: v1
type: workflow
description: Orders of {title}, and what each customer has spent.
tags: [starter]
workflow:
  schedule:
    cron: '15 6 * * *'
    timezone: UTC
    concurrencyPolicy: Forbid
  dag:
    - name: load-orders
      description: The orders as they come.
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - name: orders_file
                dataset: dataos://{depot}:none/orders.csv
                format: csv
                options: {{header: true, inferSchema: true}}
            steps:
              - sequence:
                  - name: orders
                    sql: SELECT order_id, customer, amount FROM orders_file
            outputs:
              - name: orders
                dataset: dataos://lakehouse:{collection}/orders?acl=rw
                format: iceberg
                options: {{saveMode: overwrite}}
    - name: spend-by-customer
      description: What each customer has spent.
      dependencies: [load-orders]
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - name: orders
                dataset: dataos://lakehouse:{collection}/orders
            steps:
              - sequence:
                  - name: spend
                    sql: SELECT customer, count(*) AS orders, sum(amount) AS spent FROM orders GROUP BY customer
            outputs:
              - name: spend
                dataset: dataos://lakehouse:{collection}/spend_by_customer?acl=rw
                format: iceberg
                options: {{saveMode: overwrite}}
"""

ORDERS = """\
order_id,customer,amount
1,ada,12.50
2,grace,80.00
3,ada,7.25
4,edsger,19.90
"""

SETTINGS = """\
# Settings of this project; all of them, with their defaults: docs/settings.md.
# New schedules wait until you start them in Dagster, or write `running` here.
schedules: stopped
"""


def manifest_files(name: str, *, data: str = "../data") -> Mapping[str, str]:
    """Return the starter's manifests and data by path, relative to the project.

    Args:
        name: Name of the project.
        data: Folder of the files, relative to the depot's manifest.
    """
    dashed = _OUTSIDE.sub("-", name.lower()).strip("-") or "project"
    plain = _OUTSIDE.sub("", name.lower()) or "project"
    depot = plain if plain[0].isalpha() else f"p{plain}"
    workflow = dashed if dashed[0].isalpha() else f"p-{dashed}"
    values = {
        "name": workflow,
        "title": name,
        "depot": f"{depot}files",
        "collection": _OUTSIDE.sub("_", workflow),
        "data": data,
    }
    return {
        f"depots/{values['depot']}.yaml": DEPOT.format(**values),
        f"workflows/{workflow}-daily.yaml": WORKFLOW.format(**values),
    }


def write_new(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write the files that are not there yet, and return them; nothing is overwritten."""
    written = []
    for path, text in files.items():
        target = folder / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            written.append(target)
    return written
