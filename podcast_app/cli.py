"""The `podcast-app` command. What goes wrong is one sentence and an exit status, never a traceback."""

import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from feeds.checks import Finding
from media.storage import Full, Storage, Unavailable
from media.storage.open import open_storage
from podcast_app import people, publishing, setup, shows
from podcast_app import settings as configuration
from podcast_app.addresses import Addresses
from podcast_app.database import Database, is_away, is_migrated, reason, wait_for
from podcast_app.documents import main_text
from podcast_app.fields import ShowFields, parse
from podcast_app.logs import configure
from podcast_app.models import Role, Show, User
from podcast_app.outcomes import Refused, Unknown
from podcast_app.settings import BadSettings, Settings
from podcast_app.times import iso, utcnow
from podcast_app.work import Work

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Publish and host podcasts."
)
show_app = typer.Typer(no_args_is_help=True, help="Shows.")
user_app = typer.Typer(no_args_is_help=True, help="People who work in the studio.")
token_app = typer.Typer(no_args_is_help=True, help="Tokens: keys of machines to the API.")
app.add_typer(show_app, name="show")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Where to listen; 8000 unless PORT says otherwise.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Categories = Annotated[
    list[str] | None, typer.Option("--category", help="One of Apple's, like News, or News/Politics.")
]
Processes = Annotated[int, typer.Option("--workers", min=1, help="How many processes.")]


class CommandFailed(Exception):
    """The command cannot do what it was asked; the text says why and what to do."""


def main() -> None:
    """Run the command line, and turn what went wrong into a sentence."""
    _speak_utf8()
    try:
        with _ending_with(1):
            app()
    except KeyboardInterrupt:
        sys.exit(130)


# --- running ---


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = None, workers: Processes = 1) -> None:
    """Run everything: the site, the studio, the API and the work behind."""
    from podcast_app import server

    settings = _settings(port)
    _look_at_port(host, settings.port)  # before a link is made: it would end the one that was printed first
    setup.first_start(_reached(settings))
    link = _with_database(settings, lambda database: database.write(people.first_account_link, utcnow()))
    print(f"The site is at {settings.origin}/", flush=True)
    if link is not None:
        print(f"Create the first account here (once, within a week): {settings.origin}/studio/setup/{link}", flush=True)
    server.web(settings, host, workers, with_worker=True)


@app.command()
def web(host: Host = "127.0.0.1", port: Port = None, workers: Processes = 1) -> None:
    """Run the web processes alone; a worker runs apart."""
    from podcast_app import server

    settings = _settings(port)
    _look_at_port(host, settings.port)
    settings = _migrated(_reached(settings))
    server.web(settings, host, workers, with_worker=False)


@app.command()
def worker() -> None:
    """Run the work behind alone: audio, publications when they are due, copies, tidying."""
    from podcast_app import worker_process

    worker_process.run(_migrated(_reached(_settings())))


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database up to date. A new one gets the show `diaspora-insights`."""
    setup.first_start(_settings())


def _look_at_port(host: str, port: int) -> None:
    """Say so when nothing can listen there."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE:
            raise CommandFailed(f"Port {port} is taken. Stop what runs there, or choose another: --port.") from failure
        reason = os.strerror(failure.errno) if failure.errno and failure.errno > 0 else "there is no such host"
        raise CommandFailed(f"{host} port {port} cannot be listened on: {reason}. Try --host or --port.") from failure


# --- shows ---


@show_app.command("create")
def show_create(
    title: str,
    slug: Annotated[str | None, typer.Option(help="Its address; made from the title otherwise.")] = None,
    language: Annotated[str, typer.Option(help="Its main language, like en or fr.")] = "en",
    description: Annotated[str, typer.Option(help="What it is about.")] = "",
    author: Annotated[str, typer.Option(help="Who makes it.")] = "",
    category: Categories = None,
) -> None:
    """Make a new show, with an empty feed and a cover made from its title."""
    settings = _migrated(_settings())
    said = {
        "title": title, "language": language, "description": description, "author": author, "slug": slug,
        "categories": _categories(category),
    }  # fmt: skip
    fields = _fields({name: value for name, value in said.items() if value is not None})
    made = _with_database(settings, lambda database: setup.create_show(database, _storage(settings), fields, settings))
    if isinstance(made, Refused):
        raise CommandFailed(sentences(made.findings))
    print(f"{settings.origin}/{made.it.slug}/")


@show_app.command("list")
def show_list() -> None:
    """List the shows."""
    settings = _migrated(_settings())
    table = Table("address", "title", "language", "archived", box=None)
    for show in _with_database(settings, lambda database: database.read(shows.query)):
        table.add_row(show.slug, main_text(show).title, show.language, "yes" if show.archived_at else "")
    Console(soft_wrap=True).print(table)


@show_app.command("edit")
def show_edit(
    slug: str,
    title: Annotated[str | None, typer.Option()] = None,
    description: Annotated[str | None, typer.Option()] = None,
    author: Annotated[str | None, typer.Option()] = None,
    language: Annotated[str | None, typer.Option()] = None,
    rename: Annotated[str | None, typer.Option(help="A new address; the old one leads there for ever.")] = None,
    explicit: Annotated[bool | None, typer.Option()] = None,
    time_zone: Annotated[str | None, typer.Option()] = None,
    owner_email: Annotated[str | None, typer.Option()] = None,
    copyright_holder: Annotated[str | None, typer.Option("--copyright")] = None,
    email_in_feed: Annotated[
        bool | None, typer.Option(help="Show the e-mail address in the feed, where everybody reads it.")
    ] = None,
    even_loudness: Annotated[bool | None, typer.Option(help="Bring what goes out from now on to -16 LUFS.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="episodic or serial.")] = None,
    funding_url: Annotated[str | None, typer.Option(help="Where listeners can support it.")] = None,
    locked: Annotated[bool | None, typer.Option(help="Whether no other host may take it over.")] = None,
    new_feed_url: Annotated[str | None, typer.Option(help="The feed that it has moved to.")] = None,
    page_colour: Annotated[str | None, typer.Option(help="Like #9a3b1b.")] = None,
    player_colour: Annotated[str | None, typer.Option(help="Like #9a3b1b.")] = None,
    archived: Annotated[bool | None, typer.Option(help="Put away a show that nobody heard yet.")] = None,
    category: Categories = None,
) -> None:
    """Change a show; its feeds follow at once."""
    settings = _migrated(_settings())
    said = {
        "title": title, "description": description, "author": author, "language": language, "slug": rename,
        "explicit": explicit, "time_zone": time_zone, "owner_email": owner_email, "copyright": copyright_holder,
        "email_in_feed": email_in_feed, "even_loudness": even_loudness, "type": kind, "funding_url": funding_url,
        "locked": locked, "new_feed_url": new_feed_url, "page_colour": page_colour, "player_colour": player_colour,
        "archived": archived, "categories": _categories(category),
    }  # fmt: skip
    changes = _fields({name: value for name, value in said.items() if value is not None})
    edited = _with_database(
        settings, lambda database: database.write(shows.edit_by_slug, slug, changes, settings, utcnow())
    )
    if isinstance(edited, Unknown):
        raise CommandFailed(f"There is no show called {slug}. `podcast-app show list` names them.")
    if isinstance(edited, Refused):
        raise CommandFailed(sentences(edited.findings))


# --- people and tokens ---


@user_app.command("add")
def user_add(
    email: str,
    administrator: Annotated[bool, typer.Option("--administrator", help="May do everything.")] = False,
) -> None:
    """Make a one-time link with which a person creates their account."""
    if findings := people.email_findings(email):
        raise CommandFailed(sentences(findings))
    settings = _migrated(_settings())
    secret = _with_database(
        settings,
        lambda database: database.write(people.invitation_link, email, is_administrator=administrator, now=utcnow()),
    )
    print(f"{settings.origin}/studio/setup/{secret}")


@user_app.command("list")
def user_list() -> None:
    """List the people."""
    table = Table("e-mail", "name", "administrator", box=None)
    for user in _with_database(_migrated(_settings()), lambda database: database.read(people.users)):
        table.add_row(user.email, user.name, "yes" if user.is_administrator else "")
    Console(soft_wrap=True).print(table)


@user_app.command("role")
def user_role(
    email: str,
    show: str,
    role: Annotated[str, typer.Argument(help="producer, viewer, or none to take the person off the show.")],
) -> None:
    """Say what a person may do in a show."""
    if role not in ("producer", "viewer", "none"):
        raise CommandFailed("A role is producer, viewer or none.")

    def change(database: Database) -> None:
        user, found = _user(database, email), _show(database, show)
        wanted: Role | None = "producer" if role == "producer" else "viewer" if role == "viewer" else None
        database.write(people.set_role, user.id, found.id, wanted)

    _with_database(_migrated(_settings()), change)


@user_app.command("password")
def user_password(email: str) -> None:
    """Make a one-time link with which a person sets a new password."""
    settings = _migrated(_settings())
    secret = _with_database(
        settings,
        lambda database: database.write(people.password_link, _user(database, email).id, utcnow()),
    )
    print(f"{settings.origin}/studio/password/{secret}")


@token_app.command("create")
def token_create(
    name: str, show: Annotated[str | None, typer.Option(help="For this show alone; for all shows otherwise.")] = None
) -> None:
    """Make a token, and print it: it is never shown again."""

    def create(database: Database) -> str:
        show_id = _show(database, show).id if show else None
        return database.write(people.create_token, name, show_id, utcnow())

    print(_with_database(_migrated(_settings()), create))


@token_app.command("list")
def token_list() -> None:
    """List the tokens, without their secrets."""
    table = Table("id", "name", "made", "revoked", box=None)
    for token in _with_database(_migrated(_settings()), lambda database: database.read(people.tokens)):
        table.add_row(token.id, token.name, iso(token.created_at), iso(token.revoked_at) if token.revoked_at else "")
    Console(soft_wrap=True).print(table)


@token_app.command("revoke")
def token_revoke(name_or_id: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Make a token useless at once."""
    revoked = _with_database(
        _migrated(_settings()), lambda database: database.write(people.revoke_token, name_or_id, utcnow())
    )
    if not revoked:
        raise CommandFailed(f"There is no token called {name_or_id}. `podcast-app token list` names them.")


# --- the main job ---


@app.command()
def publish(
    file: Annotated[Path, typer.Argument(help="The recording: MP3, M4A, WAV, FLAC, Ogg ...")],
    show: Annotated[str | None, typer.Option(help="The show's address, when there is more than one.")] = None,
    title: Annotated[str | None, typer.Option(help="The title; from the file's tags otherwise.")] = None,
    notes: Annotated[Path | None, typer.Option(help="A Markdown file with the notes.")] = None,
    language: Annotated[str | None, typer.Option(help="The language of title and notes.")] = None,
    season: Annotated[int | None, typer.Option()] = None,
    number: Annotated[int | None, typer.Option()] = None,
    kind: Annotated[str | None, typer.Option("--type", help="full, trailer or bonus.")] = None,
    explicit: Annotated[bool | None, typer.Option()] = None,
    slug: Annotated[str | None, typer.Option(help="The last part of its address.")] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When, with zone: 2026-12-10T09:00+01:00.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Only make a draft.")] = False,
    server: Annotated[str | None, typer.Option(metavar="URL", help="Send it to a site over HTTP.")] = None,
    token: Annotated[
        str | None, typer.Option(envvar="PODCAST_TOKEN", help="The token for --server; or in PODCAST_TOKEN.")
    ] = None,
) -> None:
    """Publish a recording, and print its address."""
    from podcast_app import publish_command

    said = {
        "title": title, "notes": _file_text(notes) if notes else None, "language": language, "season": season,
        "number": number, "type": kind, "explicit": explicit, "slug": slug, "publish": None if draft else at or "now",
    }  # fmt: skip
    fields = {name: value for name, value in said.items() if value is not None}
    if server is not None:
        print(publish_command.over_http(file, server, token, show, fields))
    else:
        settings = _migrated(_settings())
        print(
            _with_database(
                settings,
                lambda database: publish_command.here(
                    file, _the_show(database, show), fields, Work(database, _storage(settings), settings)
                ),
            )
        )


@app.command()
def check(show: Annotated[str | None, typer.Option(help="Only this show.")] = None) -> None:
    """Look at everything as a stranger would: feeds, storage, database, what lags.

    Ends with 0 when all is well, with 1 when something is wrong, with 2 when it could not look.
    """
    from podcast_app import check as checking

    with _ending_with(2):
        settings = _migrated(_settings())
        console = Console(soft_wrap=True)
        errors = _with_database(
            settings, lambda database: checking.run(database, _storage(settings), settings, show, console)
        )
    sys.exit(errors)


@app.command()
def demo(show: Annotated[str | None, typer.Option(help="The show to fill; it must be empty.")] = None) -> None:
    """Fill an empty show with a few sample episodes, made on the spot."""
    from podcast_app import demo as demonstration

    settings = _migrated(_settings())
    _with_database(
        settings,
        lambda database: demonstration.fill(
            _the_show(database, show), Work(database, _storage(settings), settings), Console(soft_wrap=True)
        ),
    )


# --- what commands share ---


def _settings(port: int | None = None) -> Settings:
    settings = configuration.read()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    configure(settings)
    _make_place(settings)
    return settings


def _make_place(settings: Settings) -> None:
    if settings.database_url and settings.storage_url:
        return  # nothing of the library lies here
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise BadSettings(f"PODCAST_DATA_DIR: {settings.data_dir} cannot be made: {wrong.strerror}.") from wrong


def _reached(settings: Settings) -> Settings:
    """The settings, once the database answers. A stop meanwhile is obeyed at once."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    wait_for(settings.database)
    return settings


def _migrated(settings: Settings) -> Settings:
    """The settings, once the database is up to date. Where they name no place, it is the one that the site runs at."""
    if not is_migrated(settings.database):
        raise CommandFailed("The database is not up to date. Run `podcast-app migrate` first.")
    if settings.model_fields_set & {"base_url", "port"}:
        return settings
    origin = _with_database(settings, lambda database: database.read(publishing.recorded_origin))
    return settings.model_copy(update={"base_url": origin}) if origin and Addresses(origin).is_private else settings


def _with_database(settings: Settings, job: Callable[[Database], T]) -> T:
    database = Database(settings.database)
    try:
        return job(database)
    finally:
        database.close()


def _storage(settings: Settings) -> Storage:
    return open_storage(settings.storage_url or None, settings.data_dir)


def _show(database: Database, slug: str) -> Show:
    found = database.read(shows.find, slug)
    if found is None:
        raise CommandFailed(f"There is no show called {slug}. `podcast-app show list` names them.")
    return found


def _the_show(database: Database, slug: str | None) -> Show:
    if slug is not None:
        return _show(database, slug)
    found = database.read(shows.query)
    if len(found) != 1:
        raise CommandFailed("There are several shows here. Name one with --show; `podcast-app show list` names them.")
    return found[0]


def _user(database: Database, email: str) -> User:
    found = database.read(people.user_by_email, email)
    if found is None:
        raise CommandFailed(f"Nobody here has the e-mail address {email}. `podcast-app user list` names everybody.")
    return found


def _fields(said: Mapping[str, object]) -> ShowFields:
    fields = parse(ShowFields, said)
    if isinstance(fields, list):
        raise CommandFailed(sentences(fields))
    return fields


def _categories(said: list[str] | None) -> list[tuple[str, str | None]] | None:
    """News/Politics: the category and its subcategory. `None`: nothing was said."""
    if not said:
        return None
    parts = (name.partition("/") for name in said)
    return [(category.strip(), subcategory.strip() or None) for category, _, subcategory in parts]


def sentences(findings: Iterable[Finding]) -> str:
    """What stands in the way, a line each."""
    return "\n".join(f"{finding.field}: {finding.message()}" for finding in findings)


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise CommandFailed(f"{path} is not a UTF-8 text. Save it as UTF-8, then try again.") from wrong
    except OSError as wrong:
        raise CommandFailed(f"{path} cannot be read: {wrong.strerror}.") from wrong


def _speak_utf8() -> None:
    """Titles are in every script, whatever the terminal's locale says: then we start again in Python's UTF-8 mode."""
    if sys.getfilesystemencoding().lower() not in ("utf-8", "utf8"):
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  (ourselves, once more)


@contextmanager
def _ending_with(status: int) -> Iterator[None]:
    """What goes wrong becomes a sentence on standard error and this exit status. Our own mistakes fly on."""
    try:
        yield
    except (CommandFailed, BadSettings) as failure:
        _fail(str(failure), status)
    except DBAPIError as failure:
        if not is_away(failure):
            raise
        _fail(f"The database does not answer: {reason(failure)}", status)
    except Full:
        _fail("The disk is full. Make room, then try again.", status)
    except Unavailable as failure:
        _fail(f"The storage does not answer: {failure}", status)


def _fail(sentence: str, status: int) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(status)
