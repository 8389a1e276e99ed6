"""Read, check and explain manifests: files to documents, documents to resources, resources to a project.

Nothing here imports dagster or an engine, opens a connection, or changes a file.
"""
