"""pages are kept by generation, and what is said in episodes can be searched."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A title counts more than notes, and these more than what is said.
POSTGRESQL_INDEX = (
    """
    ALTER TABLE search_texts ADD COLUMN words tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', notes), 'B')
        || setweight(to_tsvector('simple', said), 'C')
    ) STORED
    """,
    "CREATE INDEX ix_search_texts_words ON search_texts USING gin (words)",
)

# FTS5 keeps an index of the table's rows beside it, and is told of each change (SQLite, FTS5, 4.4.3).
SQLITE_INDEX = (
    """
    CREATE VIRTUAL TABLE search_index USING fts5(
        title, notes, said, content='search_texts', content_rowid='id', tokenize='unicode61'
    )
    """,
    """
    CREATE TRIGGER search_texts_added AFTER INSERT ON search_texts BEGIN
        INSERT INTO search_index(rowid, title, notes, said) VALUES (new.id, new.title, new.notes, new.said);
    END
    """,
    """
    CREATE TRIGGER search_texts_removed AFTER DELETE ON search_texts BEGIN
        INSERT INTO search_index(search_index, rowid, title, notes, said)
        VALUES ('delete', old.id, old.title, old.notes, old.said);
    END
    """,
    """
    CREATE TRIGGER search_texts_changed AFTER UPDATE ON search_texts BEGIN
        INSERT INTO search_index(search_index, rowid, title, notes, said)
        VALUES ('delete', old.id, old.title, old.notes, old.said);
        INSERT INTO search_index(rowid, title, notes, said) VALUES (new.id, new.title, new.notes, new.said);
    END
    """,
)


def upgrade() -> None:
    op.add_column("shows", sa.Column("generation", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("shows") as batch_op:
        batch_op.alter_column("generation", server_default=None)
    op.create_table(
        "search_texts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("show_id", sa.String(length=32), nullable=False),
        sa.Column("episode_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episodes.id"], name=op.f("fk_search_texts_episode_id_episodes"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["show_id"], ["shows.id"], name=op.f("fk_search_texts_show_id_shows"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_texts")),
        sa.UniqueConstraint("episode_id", "language", name=op.f("uq_search_texts_episode_id_language")),
    )
    op.create_index(op.f("ix_search_texts_show_id"), "search_texts", ["show_id"])
    for statement in SQLITE_INDEX if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_INDEX:
        op.execute(statement)
