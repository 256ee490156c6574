"""The web application: the whole table of routes, what stands around it, and its life from start to stop."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, StringConvertor, register_url_convertor
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from media.storage.open import open_storage
from podcast_app import half_closed, static_files
from podcast_app.addresses import LANGUAGES
from podcast_app.api import audio as api_audio
from podcast_app.api import creation, openapi
from podcast_app.api import episodes as api_episodes
from podcast_app.api import history as api_history
from podcast_app.api import parts as api_parts
from podcast_app.api import pictures as api_pictures
from podcast_app.api import shows as api_shows
from podcast_app.api import transcripts as api_transcripts
from podcast_app.api import uploads as api_uploads
from podcast_app.database import Database
from podcast_app.engines import CONNECTIONS
from podcast_app.errors import HANDLERS
from podcast_app.http import Services
from podcast_app.listening import feeds
from podcast_app.listening.front import Front
from podcast_app.listening.pages import FromMemory, Pages
from podcast_app.request_id import RequestIds
from podcast_app.security import SecurityHeaders, bucket_origin
from podcast_app.settings import Settings
from podcast_app.signatures import open_signer
from podcast_app.site import (
    colours,
    covers,
    embed,
    favicon,
    health,
    manifest,
    oembed,
    offline,
    opml,
    pages,
    parts,
    qr,
    robots,
    search,
    share_cards,
    sitemap,
)
from podcast_app.studio import (
    account,
    accounts,
    directories,
    ending,
    episode,
    guest,
    home,
    invitation,
    listen,
    members,
    new_episode,
    password,
    preview,
    setup,
    show,
    shows,
    sign_in,
    tokens,
    upload,
)
from podcast_app.studio import audio as studio_audio
from podcast_app.studio import cover as studio_cover
from podcast_app.studio import history as studio_history
from podcast_app.studio import transcripts as studio_transcripts
from podcast_app.studio import trash as studio_trash
from podcast_app.watching import Watching
from podcast_app.work import Work
from podcast_app.worker import Worker


class _Part(StringConvertor):
    """A part of an address. None of ours has a character 0, which PostgreSQL would not even look for."""

    regex = "[^/\0]+"


class _Number(IntegerConvertor):
    """A number in an address. Python refuses to read one of thousands of digits, and nobody counts so far."""

    regex = "[0-9]{1,9}"


register_url_convertor("str", _Part())  # which a part is when the table says nothing else
register_url_convertor("number", _Number())


def in_each_language(*routes: Route) -> Iterator[Route]:
    """The same pages under /en/ and /fr/ too, with a slash at the end or without: handlers lead to the one address.

    These come first, or /{show}/{episode} would take "fr" for a show.
    """
    for prefix in (*(f"/{language}" for language in LANGUAGES), ""):
        for route in routes:
            path = (prefix + route.path).rstrip("/")
            yield Route(path + "/", route.endpoint)
            if path:
                yield Route(path, route.endpoint)


# Feeds and audio are answered before this table is looked at: see listening/front.py.
ROUTES: list[BaseRoute] = [
    # --- listeners' apps: listening/ (where a feed is no longer) ---
    Route("/{show}/feed.xml", feeds.moved),
    Route("/{show}/feed-low.xml", feeds.moved),
    Route("/{language}/{show}/feed.xml", feeds.moved),
    Route("/{language}/{show}/feed-low.xml", feeds.moved),
    # --- machines: api/ (described at /api/v1/openapi.json) ---
    Route("/api/v1/openapi.json", openapi.described),
    Route("/api/v1/shows", api_shows.listed),
    Route("/api/v1/shows/{show}", api_shows.read),
    Route("/api/v1/shows/{show}", api_shows.change, methods=["PATCH"]),
    Route("/api/v1/shows/{show}/episodes", api_episodes.listed),
    Route("/api/v1/shows/{show}/episodes", creation.create, methods=["POST"]),
    Route("/api/v1/episodes/{id}", api_episodes.read),
    Route("/api/v1/episodes/{id}", api_episodes.change, methods=["PATCH"]),
    Route("/api/v1/episodes/{id}", api_episodes.remove, methods=["DELETE"]),
    Route("/api/v1/episodes/{id}/history", api_history.listed),
    Route("/api/v1/episodes/{id}/publish", api_episodes.publish, methods=["POST"]),
    Route("/api/v1/episodes/{id}/withdraw", api_episodes.withdraw, methods=["POST"]),
    Route("/api/v1/episodes/{id}/audio", api_audio.replace, methods=["POST"]),
    Route("/api/v1/episodes/{id}/audio/undo", api_audio.undo, methods=["POST"]),
    Route("/api/v1/episodes/{id}/audio/{name}", api_audio.make_again, methods=["POST"]),
    Route("/api/v1/episodes/{id}/transcripts/{language}", api_transcripts.put, methods=["PUT"]),
    Route("/api/v1/episodes/{id}/transcripts/{language}", api_transcripts.remove, methods=["DELETE"]),
    Route("/api/v1/episodes/{id}/cover", api_pictures.put_episode_cover, methods=["PUT"]),
    Route("/api/v1/episodes/{id}/cover", api_pictures.remove_episode_cover, methods=["DELETE"]),
    Route("/api/v1/episodes/{id}/pictures", api_pictures.add_to_episode, methods=["POST"]),
    Route("/api/v1/shows/{show}/cover", api_pictures.put_show_cover, methods=["PUT"]),
    Route("/api/v1/shows/{show}/pictures", api_pictures.add_to_show, methods=["POST"]),
    Route("/api/v1/uploads", api_uploads.listed),
    Route("/api/v1/uploads", api_parts.begin, methods=["POST"]),
    Route("/api/v1/uploads/{id}", api_parts.read),
    Route("/api/v1/uploads/{id}", api_uploads.remove, methods=["DELETE"]),
    Route("/api/v1/uploads/{id}/parts/{number:number}", api_parts.put, methods=["PUT"]),
    Route("/api/v1/uploads/{id}/complete", api_parts.complete, methods=["POST"]),
    # --- producers: studio/ ---
    Route("/studio", shows.first_page),
    Route("/studio/", shows.first_page),
    Route("/studio/setup/{secret}", setup.show_page),
    Route("/studio/setup/{secret}", setup.create, methods=["POST"]),
    Route("/studio/password/{secret}", password.show_page),
    Route("/studio/password/{secret}", password.change, methods=["POST"]),
    Route("/studio/sign-in", sign_in.show_page),
    Route("/studio/sign-in", sign_in.sign_in, methods=["POST"]),
    Route("/studio/sign-out", sign_in.sign_out, methods=["POST"]),
    Route("/studio/sign-out-everywhere", sign_in.sign_out_everywhere, methods=["POST"]),
    Route("/studio/account", account.show_page),
    Route("/studio/account", account.save, methods=["POST"]),
    Route("/studio/account/password", account.change_password, methods=["POST"]),
    Route("/studio/account/sessions/{session}/end", account.end_session, methods=["POST"]),
    Route("/studio/invitation/{secret}", invitation.show_page),
    Route("/studio/invitation/{secret}", invitation.answer, methods=["POST"]),
    Route("/studio/people", accounts.show_page),
    Route("/studio/people/tokens", tokens.show_page),
    Route("/studio/people/tokens", tokens.make, methods=["POST"]),
    Route("/studio/people/tokens/{token}/revoke", tokens.revoke, methods=["POST"]),
    Route("/studio/people/links/{link}/take-back", accounts.take_back, methods=["POST"]),
    Route("/studio/people/{person}", accounts.show_one),
    Route("/studio/people/{person}/administrator", accounts.set_administrator, methods=["POST"]),
    Route("/studio/people/{person}/password", accounts.password_link, methods=["POST"]),
    Route("/studio/people/{person}/sign-out", accounts.sign_out, methods=["POST"]),
    Route("/studio/people/{person}/remove", accounts.remove, methods=["POST"]),
    Route("/studio/upload", upload.moved),
    Route("/studio/shows/", shows.list_page),
    Route("/studio/new-show", shows.new_page),
    Route("/studio/new-show", shows.create, methods=["POST"]),
    Route("/studio/shows/{show}/", home.show_page),
    Route("/studio/shows/{show}/settings", show.show_page),
    Route("/studio/shows/{show}/settings", show.save, methods=["POST"]),
    Route("/studio/shows/{show}/archive", show.archive, methods=["POST"]),
    Route("/studio/shows/{show}/directories", directories.show_page),
    Route("/studio/shows/{show}/directories", directories.save, methods=["POST"]),
    Route("/studio/shows/{show}/people", members.show_page),
    Route("/studio/shows/{show}/people", members.invite, methods=["POST"]),
    Route("/studio/shows/{show}/people/{person}/role", members.change_role, methods=["POST"]),
    Route("/studio/shows/{show}/people/{person}/off", members.take_off, methods=["POST"]),
    Route("/studio/shows/{show}/people/links/{link}/take-back", members.take_back, methods=["POST"]),
    Route("/studio/shows/{show}/tokens", tokens.show_page),
    Route("/studio/shows/{show}/tokens", tokens.make, methods=["POST"]),
    Route("/studio/shows/{show}/tokens/{token}/revoke", tokens.revoke, methods=["POST"]),
    Route("/studio/shows/{show}/new", new_episode.show_page),
    Route("/studio/shows/{show}/new", new_episode.create, methods=["POST"]),
    Route("/studio/shows/{show}/recordings/{upload}/text", new_episode.keep_text, methods=["POST"]),
    Route("/studio/shows/{show}/recordings/{upload}/discard", ending.ask_to_discard),
    Route("/studio/shows/{show}/recordings/{upload}/discard", ending.discard, methods=["POST"]),
    Route("/studio/episodes/{id}", episode.show_page),
    Route("/studio/episodes/{id}", episode.save, methods=["POST"]),
    Route("/studio/episodes/{id}/preview", preview.preview, methods=["POST"]),
    Route("/studio/episodes/{id}/transcript.{language}.{extension}", preview.transcript),
    Route("/studio/episodes/{id}/guests", guest.make, methods=["POST"]),
    Route("/studio/episodes/{id}/guests/take-back", guest.take_back, methods=["POST"]),
    Route("/studio/episodes/{id}/audio", studio_audio.show_page),
    Route("/studio/episodes/{id}/audio", studio_audio.replace, methods=["POST"]),
    Route("/studio/episodes/{id}/audio/undo", studio_audio.undo, methods=["POST"]),
    Route("/studio/episodes/{id}/audio/{name}", listen.hear),
    Route("/studio/episodes/{id}/audio/{name}/again", studio_audio.make_again, methods=["POST"]),
    Route("/studio/episodes/{id}/transcripts", studio_transcripts.show_page),
    Route("/studio/episodes/{id}/transcripts", studio_transcripts.add, methods=["POST"]),
    Route("/studio/episodes/{id}/transcripts/{language}/remove", studio_transcripts.remove, methods=["POST"]),
    Route("/studio/episodes/{id}/cover", studio_cover.show_page),
    Route("/studio/episodes/{id}/cover", studio_cover.change, methods=["POST"]),
    Route("/studio/episodes/{id}/cover/remove", studio_cover.remove, methods=["POST"]),
    Route("/studio/episodes/{id}/picture", studio_cover.picture),
    Route("/studio/episodes/{id}/withdraw", ending.ask_to_withdraw),
    Route("/studio/episodes/{id}/withdraw", ending.withdraw, methods=["POST"]),
    Route("/studio/episodes/{id}/delete", ending.ask_to_delete),
    Route("/studio/episodes/{id}/delete", ending.delete, methods=["POST"]),
    Route("/studio/episodes/{id}/history", studio_history.show_page),
    Route("/studio/episodes/{id}/history/{revision:number}/restore", studio_history.restore, methods=["POST"]),
    Route("/studio/shows/{show}/trash", studio_trash.show_page),
    Route("/studio/shows/{show}/trash/{id}/put-back", studio_trash.put_back, methods=["POST"]),
    Route("/studio/shows/{show}/trash/{id}/delete", studio_trash.ask_to_delete),
    Route("/studio/shows/{show}/trash/{id}/delete", studio_trash.delete, methods=["POST"]),
    # --- guests, before publication: studio/guest.py ---
    Route("/preview/{token}", guest.show_page),
    Route("/preview/{token}/audio/{name}", guest.hear),
    Route("/preview/{token}/picture", guest.picture),
    Route("/preview/{token}/transcript.{language}.{extension}", guest.transcript),
    # --- listeners: site/ ---
    Route("/healthz", health.alive),
    Route("/readyz", health.ready),
    Route("/metrics", health.metrics),
    Route("/robots.txt", robots.robots),
    Route("/sw.js", offline.worker),
    Route("/favicon.ico", favicon.serve),
    Route("/sitemap.xml", sitemap.whole),
    Route("/sitemap-{number:number}.xml", sitemap.part),
    Route("/opml.xml", opml.serve),
    Route("/static/{version}/site-{colour}.css", colours.serve),
    Route("/static/{version}/{name:path}", static_files.serve),
    Route("/oembed", oembed.discover),
    Route("/{show}/cover.{extension}", covers.current),
    Route("/{show}/cover-{version}.{extension}", covers.version),
    Route("/{show}/{episode}/chapters.json", parts.chapters_json),
    Route("/{show}/{episode}/waveform.json", parts.waveform_json),
    Route("/{show}/{episode}/transcript.{language}.{extension}", parts.transcript),
    Route("/{show}/{episode}/cover.{extension}", covers.current),
    Route("/{show}/{episode}/cover-{version}.{extension}", covers.version),
    *in_each_language(
        Route("/{show}/manifest.webmanifest", manifest.of_show),
        Route("/{show}/feed-qr.svg", qr.of_feed),
        Route("/{show}/share-{version}.jpg", share_cards.version),
        Route("/{show}/{episode}/share-{version}.jpg", share_cards.version),
        Route("/", pages.home),
        Route("/{show}/", pages.show),
        Route("/{show}/episodes/{number:number}", pages.show),
        Route("/{show}/episodes/season-{season:number}", pages.show),
        Route("/{show}/episodes/season-{season:number}/{number:number}", pages.show),
        Route("/{show}/search", search.find),
        Route("/{show}/episodes/kept", offline.kept),
        Route("/{show}/embed", embed.show),
        Route("/{show}/embed/episodes", embed.episodes),
        Route("/{show}/embed/episodes/{number:number}", embed.episodes),
        Route("/{show}/{episode}", pages.episode),
        Route("/{show}/{episode}/embed", embed.episode),
    ),
]


def create_app(settings: Settings, *, with_worker: bool = False) -> ASGIApp:
    """The application of one process; with a worker inside, one process does everything."""
    return application(open_services(settings), with_worker=with_worker)


def open_services(settings: Settings) -> Services:
    """What a process with these settings serves with."""
    database = Database(settings.database)
    storage = open_storage(settings.storage_url or None, settings.data_dir)
    return Services(
        settings,
        database,
        storage,
        Work(database, storage, settings),
        CapacityLimiter(CONNECTIONS),
        Watching(database, storage),
        open_signer(settings),
        Pages(database),
        bucket=bucket_origin(settings, storage),
    )


def application(services: Services, *, with_worker: bool) -> ASGIApp:
    """The application that serves with these."""
    front = Front(services)
    life = _life(services, front, Worker(services.work) if with_worker else None)
    app = Starlette(routes=ROUTES, exception_handlers=HANDLERS, lifespan=life)
    app.router.redirect_slashes = False  # it would build an address from the Host header
    app.state.services = services
    return front.before(RequestIds(half_closed.told(SecurityHeaders(FromMemory(app, services.pages), services.bucket))))


def _life(
    services: Services, front: Front, worker: Worker | None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        async with front.following():
            if worker is not None:
                worker.start()
            try:
                yield
            finally:
                if worker is not None:
                    worker.stop()
        services.database.close()

    return life
