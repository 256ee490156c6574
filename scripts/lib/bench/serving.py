"""Rows 3, 4 and 9: what feeds, audio and pages cost to serve, against nginx and against a bare ASGI callable."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from scripts.lib.bench import samples, servers
from scripts.lib.bench.measure import Line, medians
from scripts.lib.bench.uploads import MB, folder_on_disk, upload_published

SECONDS = 2
FEED = "/diaspora-insights/feed.xml"
PAGE = "/diaspora-insights/"
SEARCH = "/diaspora-insights/search?q=number"  # a page like it that is made anew each time
GZIP = "Accept-Encoding: gzip"

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; gzip_static on; types {{ audio/mpeg mp3; application/rss+xml xml; }}
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""

# One megabyte, each time somewhere else in the first ninety.
RANGES = """
request = function()
  local start = math.random(0, 89) * 1000000
  return wrk.format("GET", nil, {["Range"] = string.format("bytes=%d-%d", start, start + 999999)})
end
"""


def small_answers() -> Iterator[Line]:
    """Row 3: CPU per request of a feed, of a 304, and of what /media says to HEAD."""
    with _three_servers() as (ours, nginx, bare, media):
        etag = httpx2.get(f"{ours.origin}{FEED}", headers={"Accept-Encoding": "gzip"}).headers["etag"]
        theirs = httpx2.get(f"{nginx.origin}/feed.xml", headers={"Accept-Encoding": "gzip"}).headers["etag"]
        took = medians(
            {
                "200 ours": _per_request(ours, FEED, GZIP),
                "200 nginx": _per_request(nginx, "/feed.xml", GZIP),
                "200 bare": _per_request(bare, "/", GZIP),
                "304 ours": _per_request(ours, FEED, GZIP, f"If-None-Match: {etag}"),
                "304 nginx": _per_request(nginx, "/feed.xml", GZIP, f"If-None-Match: {theirs}"),
                "304 bare": _per_request(bare, "/", GZIP, f"If-None-Match: {etag}"),
                "media ours": _per_request(ours, media, "If-None-Match: *"),
                "media nginx": _per_request(nginx, "/episode.mp3", f"If-None-Match: {_etag(nginx)}"),
            },
            rounds=3,
        )
    for what, goal in (("200", 3), ("304", 4)):
        ours_us, nginx_us, bare_us = (took[f"{what} {who}"] for who in ("ours", "nginx", "bare"))
        yield Line(3, f"feed {what}", "nginx, gzip_static", ours_us, nginx_us, "µs CPU", goal)
        yield Line(3, f"feed {what}", "bare ASGI callable", ours_us, bare_us, "µs CPU", 1 / 0.9)
    yield Line(3, "/media 304", "nginx, the file", took["media ours"], took["media nginx"], "µs CPU", 4)


def pages_in_memory() -> Iterator[Line]:
    """Row 9: CPU per request of a listing that is unchanged."""
    with _three_servers() as (ours, nginx, _bare, _media):
        etag = httpx2.get(f"{ours.origin}{PAGE}", headers={"Accept-Encoding": "gzip"}).headers["etag"]
        took = medians(
            {
                "ours": _per_request(ours, PAGE, GZIP),
                "nginx": _per_request(nginx, "/listing.html", GZIP),
                "304": _per_request(ours, PAGE, GZIP, f"If-None-Match: {etag}"),
                "anew": _per_request(ours, SEARCH, GZIP),
            },
            rounds=3,
        )
    # behind the middleware that names requests and adds the policy: only feeds and audio are answered before it
    yield Line(9, "listing 200", "nginx, gzip_static", took["ours"], took["nginx"], "µs CPU", 16)
    yield Line(9, "listing 200", "a page made anew (search)", took["ours"], took["anew"], "µs CPU", 0.05)
    yield Line(9, "listing 304", "a page made anew (search)", took["304"], took["anew"], "µs CPU", 0.05)


def megabytes_of_audio() -> Iterator[Line]:
    """Row 4: ranges of 1 MB for eight listeners at once, in time and in CPU."""
    with _three_servers() as (ours, nginx, _bare, media), folder_on_disk() as folder:
        script = folder / "ranges.lua"
        script.write_text(RANGES)
        took = medians(
            {
                "ours": _time_each(ours, media, script),
                "nginx": _time_each(nginx, "/episode.mp3", script),
                "ours cpu": _per_request(ours, media, script=script, connections=8),
                "nginx cpu": _per_request(nginx, "/episode.mp3", script=script, connections=8),
            },
            rounds=3,
        )
    yield Line(4, "1 MB range, 8 listeners", "nginx, sendfile", took["ours"], took["nginx"], "µs", 2.5)
    yield Line(4, "1 MB range, 8 listeners", "nginx, sendfile", took["ours cpu"], took["nginx cpu"], "µs CPU", 2.5)


@contextmanager
def _three_servers() -> Iterator[tuple[servers.Server, servers.Server, servers.Server, str]]:
    """Ours, nginx and the bare callable, with the same feed of 300 episodes and the same 100 MB of audio."""
    with ExitStack() as stack:
        folder = stack.enter_context(folder_on_disk())
        data = folder / "data"
        samples.many_episodes(data, 300)[0].database.close()
        ours = stack.enter_context(servers.podcast_app(data))
        token = servers.command(data, "token", "create", "bench")
        recording = samples.mp3(folder / "episode.mp3", 100 * MB)
        media = upload_published(ours, token, recording)
        for name, path in (("feed.xml", FEED), ("listing.html", PAGE)):
            (folder / name).write_bytes(httpx2.get(f"{ours.origin}{path}").content)
            subprocess.run(["gzip", "-k", "-6", str(folder / name)], check=True)
        nginx = stack.enter_context(_nginx(folder))
        yield ours, nginx, stack.enter_context(servers.bare("feed", folder)), media


@contextmanager
def _nginx(folder: Path) -> Iterator[servers.Server]:
    port = servers.free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port))
    program = shutil.which("nginx")
    assert program
    with servers.running([program, "-c", str(configuration)], port) as server:
        yield server


def _per_request(
    server: servers.Server, path: str, *headers: str, script: Path | None = None, connections: int = 32
) -> Callable[[], float]:
    """Microseconds of the server's CPU."""

    def measure() -> float:
        before = server.cpu_ms()
        requests, _ = _wrk(server, path, headers, script, connections)
        return (server.cpu_ms() - before) * 1000 / requests

    return measure


def _time_each(server: servers.Server, path: str, script: Path) -> Callable[[], float]:
    """Microseconds by the clock, all listeners together."""

    def measure() -> float:
        requests, seconds = _wrk(server, path, (), script, 8)
        return seconds * 1e6 / requests

    return measure


def _wrk(
    server: servers.Server, path: str, headers: tuple[str, ...], script: Path | None, connections: int
) -> tuple[int, float]:
    """Requests answered, and the seconds that took."""
    options = [word for header in headers for word in ("-H", header)] + (["-s", str(script)] if script else [])
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", *options, f"{server.origin}{path}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"(\d+) requests in ([\d.]+)s", said)
    assert found, said
    return int(found[1]), float(found[2])


def _etag(nginx: servers.Server) -> str:
    return str(httpx2.head(f"{nginx.origin}/episode.mp3").headers["etag"])
