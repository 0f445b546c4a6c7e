"""The mytoken dialect (docs/api.md M)."""
