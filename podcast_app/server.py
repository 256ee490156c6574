"""The processes that serve: web, with or without a worker inside."""

import os
import resource
import signal
import sys
from contextlib import suppress
from functools import partial

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from podcast_app import settings as configuration
from podcast_app import stopping
from podcast_app.app import create_app
from podcast_app.logs import configure
from podcast_app.settings import Settings

# Longer than proxies keep a connection (nginx one minute, Caddy two): who closes first loses no request.
KEEP_ALIVE_SECONDS = 150


def web(settings: Settings, host: str, processes: int, *, with_worker: bool) -> None:
    """Serve until told to stop. With a worker inside, each process is a whole."""
    _allow_many_connections()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn passes the signal on when it has stopped
    config = partial(
        uvicorn.Config,
        host=host,
        port=settings.port,
        http=stopping.Protocol,
        loop="uvloop",
        timeout_graceful_shutdown=stopping.GRACE_SECONDS + 2,  # for those that were cut to notice
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        access_log=False,  # a listener's address is written down nowhere
        proxy_headers=False,  # nothing here depends on them
        server_header=False,
        log_config=None,
    )
    if processes == 1:
        _one(config(create_app(settings, with_worker=with_worker)))
    else:
        os.environ["PODCAST_PORT"] = str(settings.port)  # the children read their settings themselves
        factory = whole_app if with_worker else web_app
        _several(config(f"{__name__}:{factory.__name__}", factory=True, workers=processes))


def _allow_many_connections() -> None:
    """As many as the system lets us: a slow listener takes a connection and a file, and the usual limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def web_app() -> ASGIApp:
    """One of several web processes."""
    return _app(with_worker=False)


def whole_app() -> ASGIApp:
    """One of several processes that do everything."""
    return _app(with_worker=True)


def _one(config: uvicorn.Config) -> None:
    server = stopping.Server(config)
    with suppress(KeyboardInterrupt):
        server.run([config.bind_socket()])
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _several(config: uvicorn.Config) -> None:
    stopping.Processes(config, [config.bind_socket()]).run()


def _app(*, with_worker: bool) -> ASGIApp:
    settings = configuration.read()
    configure(settings)
    return create_app(settings, with_worker=with_worker)
