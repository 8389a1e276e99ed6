"""Secrets: what manifests declare, where values are kept, and who may use which.

A value is a `SecretStr` from the moment it is read, and known to `dataos_dagster.redaction` from the moment it leaves
its back end.
"""
