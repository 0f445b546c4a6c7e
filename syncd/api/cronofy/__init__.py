"""The Cronofy dialect (docs/api.md C)."""
