"""syncd's own dialect (docs/api.md N)."""
