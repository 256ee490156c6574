"""How Alembic meets our tables. It is always handed a connection (database.migrate)."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from podcast_app.database import Instant
from podcast_app.models import Base


def plain_types(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """A migration is history: it names the database's types, not ours, which may move."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    render_item=plain_types,
)
with context.begin_transaction():
    context.run_migrations()
