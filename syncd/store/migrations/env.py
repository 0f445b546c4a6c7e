"""What alembic runs: the revisions, on the connection that ``store.migrate`` hands in."""

from alembic import context

from syncd.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # on SQLite too: the caller's BEGIN IMMEDIATE is around all of it
)
with context.begin_transaction():
    context.run_migrations()
