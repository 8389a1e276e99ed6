"""Keep services running: what manifests want against what runs, brought together again and again."""
