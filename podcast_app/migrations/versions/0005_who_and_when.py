"""authors of the same name are told apart, and when a feed was copied and announced is known."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("revisions", sa.Column("by_id", sa.String(length=64), nullable=False, server_default=""))
    with op.batch_alter_table("revisions") as batch_op:
        batch_op.alter_column("by_id", server_default=None)
    op.add_column("feeds", sa.Column("copied_at", INSTANT, nullable=True))
    op.add_column("feeds", sa.Column("announced_at", INSTANT, nullable=True))
