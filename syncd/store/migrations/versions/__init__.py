"""One alembic revision a module."""
