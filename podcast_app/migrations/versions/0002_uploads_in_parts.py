"""uploads come in parts, and are larger than 2 GB."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite adds a column that may be empty where the table is; to make it anew would copy every row.
    op.add_column("uploads", sa.Column("fingerprint", sa.String(length=200), nullable=True))
    op.add_column("uploads", sa.Column("part_size_bytes", sa.Integer(), nullable=True))
    op.add_column("uploads", sa.Column("parts_id", sa.Text(), nullable=True))
    op.add_column("uploads", sa.Column("relayed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("uploads", sa.Column("refusal", sa.JSON(), nullable=True))
    op.add_column("uploads", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("uploads", sa.Column("try_again_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("uploads", sa.Column("lease_owner", sa.String(length=32), nullable=True))
    op.add_column("uploads", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":  # SQLite's integers all have 64 bits
        op.alter_column("uploads", "size_bytes", type_=sa.BigInteger())
        op.alter_column("editions", "size_bytes", type_=sa.BigInteger())
