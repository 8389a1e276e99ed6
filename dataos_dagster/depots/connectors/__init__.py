"""Stores that Spark reaches through a connector of their maker: databases, warehouses, search, documents, topics."""
