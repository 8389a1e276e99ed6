"""Synthetic projects: folders of manifests of the size and mix that published ones have.

Of 100 manifests 92 are workflows with one Flare job (75 lines: one input, two SQL steps, three functions, one Iceberg
output with a partition spec), 4 are depots and 4 are instance secrets that these depots use. Every tenth workflow has a
schedule. Jobs form chains of ten: each reads what the one before wrote.
"""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOW = """\
name: wf-orders-{number:05d}
version: v1
type: workflow
workspace: sales
description: Cleans and aggregates orders of region {number}.
tags:
  - Tier.Silver
  - Domain.Sales
  - Region.R{number:05d}
owner: mira
workflow:
  title: Orders of region {number}
{schedule}  dag:
    - name: orders-{number:05d}
      title: Orders {number}
      description: One row per customer and day.
      spec:
        tags:
          - Stack.Flare
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          driver:
            coreLimit: 1200m
            cores: 1
            memory: 1024m
          executor:
            coreLimit: 1200m
            cores: 1
            instances: 1
            memory: 1024m
          job:
            explain: true
            logLevel: INFO
            inputs:
              - name: orders
                dataset: {source}
                format: iceberg
            steps:
              - sequence:
                  - name: cleaned
                    doc: Orders without test customers.
                    sql: >
                      SELECT order_id, customer_id, amount, currency, cast(ordered_at AS date) AS day
                      FROM orders
                      WHERE customer_id IS NOT NULL AND amount > 0
                    functions:
                      - name: cleanse_column_names
                      - name: rename
                        column: currency
                        asColumn: currency_code
                      - name: set_type
                        columns:
                          amount: double
                  - name: daily
                    sql: >
                      SELECT customer_id, day, currency_code AS currency, sum(amount) AS amount,
                             count(*) AS orders, max(order_id) AS order_id, max(day) AS ordered_at
                      FROM cleaned
                      GROUP BY customer_id, day, currency_code
            outputs:
              - name: daily
                dataset: dataos://lakehouse:sales/orders_{number:05d}?acl=rw
                format: iceberg
                title: Orders {number}
                description: One row per customer and day.
                options:
                  saveMode: overwrite
                  iceberg:
                    properties:
                      write.format.default: parquet
                      write.metadata.compression-codec: gzip
                    partitionSpec:
                      - type: identity
                        column: currency
"""

SCHEDULE = """\
  schedule:
    cron: '15 5 * * *'
    timezone: Europe/Lisbon
    concurrencyPolicy: Forbid
"""

DEPOT = """\
name: shop{number:05d}
version: v2alpha
type: depot
layer: user
description: Shop database {number}.
depot:
  type: postgresql
  external: true
  secrets:
    - name: shop{number:05d}-rw
      keys: [shop{number:05d}-rw]
      allKeys: true
  postgresql:
    subprotocol: postgresql
    host: shop{number}.internal
    port: 5432
    database: shop
    params:
      sslmode: disable
"""

SECRET = """\
name: shop{number:05d}-rw
version: v1
type: instance-secret
layer: user
description: Credentials of shop database {number}.
instance-secret:
  type: key-value-properties
  acl: rw
  data:
    username: shop
    password: benchmark
"""


FIRST_SECRET, FIRST_DEPOT = 92, 96  # of 100


def manifests(count: int) -> Iterator[tuple[str, str]]:
    """Yield (relative path, text) of each manifest of a project with `count` of them."""
    for number in range(count):
        in_hundred = number % 100
        depot = number + FIRST_DEPOT - FIRST_SECRET  # the depot that a secret in this place belongs to
        if in_hundred >= FIRST_DEPOT:
            yield f"depots/shop{number:05d}.yaml", DEPOT.format(number=number)
        elif in_hundred >= FIRST_SECRET and depot < count:
            yield f"secrets/shop{depot:05d}.yaml", SECRET.format(number=depot)
        else:
            yield f"workflows/w{number:05d}.yaml", workflow(number)


def workflow(number: int) -> str:
    """Return the manifest of one workflow."""
    before = f"orders_{number - 1:05d}" if number % 10 else "raw_orders"
    return WORKFLOW.format(
        number=number,
        source=f"dataos://lakehouse:sales/{before}",
        schedule=SCHEDULE if number % 10 == 0 else "",
    )


def write_project(folder: Path, count: int) -> Path:
    """Write a project with `count` manifests and return its folder."""
    for name in ("workflows", "depots", "secrets"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in manifests(count):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def write_scheduled_project(folder: Path, workflows: int) -> Path:
    """Write `workflows` manifests, each with a schedule and a chain of five jobs, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for workflow_number in range(workflows):
        jobs = [workflow(workflow_number * 10 + position) for position in range(5)]
        dag = [text.partition("  dag:\n")[2] for text in jobs]
        (folder / f"w{workflow_number:05d}.yaml").write_text(jobs[0] + "".join(dag[1:]), encoding="utf-8")
    return folder


def write_peer_project(folder: Path, count: int) -> Path:
    """Write the same manifests as a `dg` project with one component each and return its folder."""
    package = folder / "shop"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "0"\n'
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "shop"\n',
        encoding="utf-8",
    )
    (package / "__init__.py").touch()
    shutil.copy(Path(__file__).with_name("peer_component.py"), package / "components.py")
    for name, text in manifests(count):
        component = package / "defs" / name.removesuffix(".yaml")
        component.mkdir(parents=True)
        body = textwrap.indent(text, "    ")
        (component / "defs.yaml").write_text(
            f"type: shop.components.ManifestComponent\nattributes:\n  manifest:\n{body}", encoding="utf-8"
        )
    return folder
