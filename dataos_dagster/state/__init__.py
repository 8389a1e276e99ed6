"""The state database: what happened, kept where every process of a project finds it.

SQLite in `.dataos/state.db` by default, PostgreSQL by URL; one repository class a concern, values in and out of it.
"""
