"""Why a text is not YAML, said in terms of what its writer has to change."""
