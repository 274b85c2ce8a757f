"""What alembic runs: it works on the connection that it is given and reads no configuration file."""

from alembic import context

from brainscan.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()
