"""recordings are measured, light editions and transcripts exist, audio is replaced, and loudness evened."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("shows", sa.Column("even_loudness", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("audios", sa.Column("is_next", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("audios", sa.Column("replaced_at", INSTANT, nullable=True))
    op.add_column("editions", sa.Column("address_id", sa.String(length=32), nullable=True))
    op.add_column("editions", sa.Column("public_at", INSTANT, nullable=True))
    op.add_column("editions", sa.Column("gain_db", sa.Double(), nullable=True))
    op.add_column("editions", sa.Column("progress_percent", sa.Integer(), nullable=True))
    _make_tables()
    _say_what_is_known()
    with op.batch_alter_table("shows") as batch_op:
        batch_op.alter_column("even_loudness", server_default=None)
    with op.batch_alter_table("uploads") as batch_op:
        batch_op.drop_constraint("uq_uploads_episode_id", type_="unique")
        batch_op.create_index("ix_uploads_episode_id", ["episode_id"])
    with op.batch_alter_table("audios") as batch_op:
        batch_op.alter_column("is_next", server_default=None)
        batch_op.alter_column("upload_id", existing_type=sa.String(length=32), nullable=True)
        batch_op.create_index("ix_audios_upload_id", ["upload_id"])
        batch_op.create_index("ix_audios_replaced_at", ["replaced_at"])
        batch_op.create_index(
            "uq_audios_next",
            ["episode_id"],
            unique=True,
            sqlite_where=sa.text("is_next"),
            postgresql_where=sa.text("is_next"),
        )
    with op.batch_alter_table("editions") as batch_op:
        batch_op.alter_column("address_id", existing_type=sa.String(length=32), nullable=False)
        batch_op.create_unique_constraint("uq_editions_address_id", ["address_id"])


def _make_tables() -> None:
    op.create_table(
        "measurements",
        sa.Column("upload_id", sa.String(length=32), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("loudness_lufs", sa.Double(), nullable=True),
        sa.Column("range_lu", sa.Double(), nullable=True),
        sa.Column("true_peak_dbtp", sa.Double(), nullable=True),
        sa.Column("silence_start_ms", sa.Integer(), nullable=True),
        sa.Column("silence_end_ms", sa.Integer(), nullable=True),
        sa.Column("peaks", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("progress_percent", sa.Integer(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("try_again_at", INSTANT, nullable=True),
        sa.Column("lease_owner", sa.String(length=32), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.CheckConstraint("status IN ('preparing', 'ready', 'failed')", name=op.f("ck_measurements_status")),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_measurements_upload_id_uploads"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_measurements")),
    )
    op.create_index("ix_measurements_status", "measurements", ["status"])
    op.create_table(
        "transcripts",
        sa.Column("episode_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("is_captions", sa.Boolean(), nullable=False),
        sa.Column("is_timed", sa.Boolean(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episodes.id"], name=op.f("fk_transcripts_episode_id_episodes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("episode_id", "language", name=op.f("pk_transcripts")),
    )


def _say_what_is_known() -> None:
    """An enclosure's address stays what it was; what is new is made for all that was published before."""
    op.execute("UPDATE editions SET address_id = audio_id")
    op.execute(
        "UPDATE editions SET public_at = (SELECT episodes.published_at FROM audios JOIN episodes"
        " ON audios.episode_id = episodes.id WHERE audios.id = editions.audio_id) WHERE public_key IS NOT NULL"
    )
    op.execute(
        "INSERT INTO measurements (upload_id, status, attempts) SELECT DISTINCT upload_id, 'preparing', 0 FROM audios"
    )
    published = sa.text("SELECT audio_id FROM editions WHERE name = 'enclosure' AND public_key IS NOT NULL")
    light = sa.text(
        "INSERT INTO editions (audio_id, name, address_id, status, attempts)"
        " VALUES (:audio_id, :name, :address_id, 'preparing', 0)"
    )
    connection = op.get_bind()
    for audio_id in connection.execute(published).scalars().all():
        for name in ("low-mp3", "low-opus"):
            connection.execute(light, {"audio_id": audio_id, "name": name, "address_id": secrets.token_hex(8)})
