"""changes are remembered, drafts go to a trash, people are invited to a show, and a show says more of itself."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _add_what_may_be_empty()
    _add_what_has_a_value({"zones": "[]", "persons": "[]", "links": "{}", "verification": "[]"}, sa.JSON())
    _add_what_has_a_value({"new_feed_url": ""}, sa.String(length=1000))
    _add_what_has_a_value({"page_colour": "", "player_colour": ""}, sa.String(length=7))
    _make_tables()


def _add_what_may_be_empty() -> None:
    op.add_column("shows", sa.Column("email_in_feed_until", INSTANT, nullable=True))
    op.add_column("shows", sa.Column("archived_at", INSTANT, nullable=True))
    op.add_column("episodes", sa.Column("trashed_at", INSTANT, nullable=True))
    op.add_column("uploads", sa.Column("typed", sa.JSON(), nullable=True))
    op.add_column("studio_sessions", sa.Column("device", sa.String(length=120), nullable=False, server_default=""))
    with op.batch_alter_table("studio_sessions") as batch_op:
        batch_op.alter_column("device", server_default=None)
    with op.batch_alter_table("one_time_links") as batch_op:
        batch_op.add_column(sa.Column("show_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("role", sa.String(length=16), nullable=True))
        batch_op.create_foreign_key("fk_one_time_links_show_id_shows", "shows", ["show_id"], ["id"], ondelete="CASCADE")
    op.create_index("ix_shows_email_in_feed_until", "shows", ["email_in_feed_until"])
    op.create_index("ix_episodes_trashed_at", "episodes", ["trashed_at"])


def _add_what_has_a_value(values: dict[str, str], kind: sa.types.TypeEngine[Any]) -> None:
    """Columns of shows. What stands in the rows that are there is no default for those that come."""
    for name, value in values.items():
        op.add_column("shows", sa.Column(name, kind, nullable=False, server_default=value))
    with op.batch_alter_table("shows") as batch_op:
        for name in values:
            batch_op.alter_column(name, server_default=None)


def _make_tables() -> None:
    op.create_table(
        "revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("episode_id", sa.String(length=32), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episodes.id"], name=op.f("fk_revisions_episode_id_episodes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    op.create_index("ix_revisions_episode_id", "revisions", ["episode_id"])
    op.create_table(
        "guest_links",
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("episode_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episodes.id"], name=op.f("fk_guest_links_episode_id_episodes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_guest_links")),
    )
    op.create_index("ix_guest_links_episode_id", "guest_links", ["episode_id"])
    op.create_table(
        "feed_fetches",
        sa.Column("show_id", sa.String(length=32), nullable=False),
        sa.Column("view", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["show_id"], ["shows.id"], name=op.f("fk_feed_fetches_show_id_shows"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("show_id", "view", "generation", "reader", name=op.f("pk_feed_fetches")),
    )
