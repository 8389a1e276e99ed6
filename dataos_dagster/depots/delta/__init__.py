"""Delta tables: folders whose log says which files count."""
