"""The Kloudless dialect (docs/api.md K)."""
