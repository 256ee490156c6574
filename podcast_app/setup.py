"""From nothing to a place where one can publish: tables, and the first show with a cover and an empty feed."""

from media import artwork
from media.storage import Storage
from media.storage.open import open_storage
from podcast_app import covers, shows
from podcast_app.database import Database, migrate
from podcast_app.fields import ShowFields
from podcast_app.models import Show
from podcast_app.outcomes import Done, Refused
from podcast_app.settings import Settings
from podcast_app.times import utcnow


def first_start(settings: Settings) -> None:
    """Bring the database up to date; a new one gets the show `diaspora-insights`. May be said again and again."""
    migrate(settings.database)
    database = Database(settings.database)
    try:
        if not database.read(shows.query):
            storage = open_storage(settings.storage_url or None, settings.data_dir)
            made = create_show(database, storage, shows.FIRST_SHOW, settings)
            # two processes may start at once: then the other one's show is there, and that is as good
            assert isinstance(made, Done) or database.read(shows.query), made
    finally:
        database.close()


def create_show(database: Database, storage: Storage, said: ShowFields, settings: Settings) -> Done[Show] | Refused:
    """A show with a cover made from its title, until the producer gives one."""
    picture = covers.store(database, storage, artwork.generated(said.title), is_generated=True)
    return database.write(shows.create, said, picture, settings, utcnow())
