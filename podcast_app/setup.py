"""From nothing to a place where one can publish: tables, and the first show with a cover and an empty feed."""

from feeds.checks import Finding
from media import artwork
from media.storage import Storage
from media.storage.open import open_storage
from podcast_app import objects, shows
from podcast_app.database import Database, migrate
from podcast_app.fields import ShowFields
from podcast_app.models import Show
from podcast_app.settings import Settings
from podcast_app.times import utcnow


def first_start(settings: Settings) -> None:
    """Bring the database up to date; a new one gets the show `diaspora-insights`. May be said again and again."""
    migrate(settings.database)
    database = Database(settings.database)
    try:
        if not database.read(shows.query):
            made = create_show(
                database, open_storage(settings.storage_url or None, settings.data_dir), shows.FIRST_SHOW, settings
            )
            # two processes may start at once: then the other one's show is there, and that is as good
            assert isinstance(made, Show) or database.read(shows.query), made
    finally:
        database.close()


def create_show(database: Database, storage: Storage, said: ShowFields, settings: Settings) -> Show | list[Finding]:
    """A show with a cover made from its title, until the producer gives one."""
    key = objects.private_key("covers")
    database.write(objects.announce, key, utcnow())
    picture = shows.store_picture(storage, key, artwork.generated(said.title), is_generated=True)
    with database.writing() as session:
        made = shows.create(session, said, picture, settings, utcnow())
        if not isinstance(made, Show):
            session.rollback()
    return made
