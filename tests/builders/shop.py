"""A small project that runs: a file of four orders, a job that loads it, a job that sums up by customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manifest_builder import file_depot, flare, workflow, write_project

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = "order_id,customer,amount\n1,ada,12.5\n2,grace,80\n3,ada,7.25\n4,edsger,19.9\n"
SPENT = "SELECT customer, count(*) AS orders, sum(amount) AS spent FROM in_0 GROUP BY customer"


def load_job(name: str = "load", **entry: Any) -> dict[str, Any]:
    """Return a job that brings the file into the table `orders`."""
    job = flare(name, reads="dataos://shopfiles:none/orders.csv", writes="orders", **entry)
    [source] = job["spec"]["stackSpec"]["job"]["inputs"]
    source |= {"format": "csv", "options": {"header": True, "inferSchema": True}}
    return job


def spend_job(sql: str = SPENT) -> dict[str, Any]:
    """Return a job that sums up in the table `spend` what each customer has spent."""
    job = flare("spend", reads="orders", writes="spend")
    section = job["spec"]["stackSpec"]["job"]
    section["steps"] = [{"sequence": [{"name": "spent", "sql": sql}]}]
    section["outputs"][0]["name"] = "spent"
    return job


def write_shop(folder: Path, *dag: dict[str, Any], schedule: Any = None, files: dict[str, Any] | None = None) -> Path:
    """Write the project with these jobs, or the two above, and return its folder."""
    body = workflow("daily", *(dag or (load_job(), spend_job())), schedule=schedule)
    manifests = {"depot.yaml": file_depot("shopfiles", "data"), "daily.yaml": body, "data/orders.csv": ORDERS}
    return write_project(folder, manifests | (files or {}))
