"""Settings from the environment and from `.env`, and what is said of one that cannot be used."""

from pathlib import Path

import pytest

from podcast_app import settings
from podcast_app.settings import BadSettings, Settings


@pytest.fixture(autouse=True)
def _an_empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PORT", "DATABASE_URL", *(f"PODCAST_{name.upper()}" for name in Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_everything_lies_in_one_folder_on_this_machine() -> None:
    found = settings.read()

    assert found.origin == "http://127.0.0.1:8000"
    assert found.database == "sqlite:///var/podcast.db"
    assert found.storage_url == ""


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PORT", "abc", "number|integer"),
        ("PODCAST_PORT", "70000", "65535"),
        ("PODCAST_BASE_URL", "podcast.example.org", "https://"),
        ("PODCAST_BASE_URL", "ftp://podcast.example.org", "https://"),
        ("PODCAST_MEDIA_BASE_URL", "cdn", "https://"),
        ("PODCAST_DATABASE_URL", "nonsense", "postgresql://"),
        ("DATABASE_URL", "oracle://somewhere", "postgresql://"),
        ("DATABASE_URL", "unknown://somewhere", "postgresql://"),
        ("PODCAST_STORAGE_URL", "ftp://bucket", "s3://BUCKET"),
        ("PODCAST_STORAGE_URL", "s3://key:secret@bucket", "AWS_SECRET_ACCESS_KEY"),
        ("PODCAST_MAX_UPLOAD_BYTES", "0", "1"),
        ("PODCAST_MAX_UPLOAD_BYTES", "5GB", "integer"),
        ("PODCAST_LOG_FORMAT", "xml", "json"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_as_it_was_written(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings, match=reason) as refused:
        settings.read()

    assert f" {name}: " in str(refused.value)
    assert "Value error" not in str(refused.value)


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "abc")
    monkeypatch.setenv("PODCAST_BASE_URL", "x")

    with pytest.raises(BadSettings, match=r"PORT: .*PODCAST_BASE_URL: "):
        settings.read()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_an_address_as_hosting_platforms_hand_it_out_is_understood(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://name:word@host/podcast")

    assert settings.read().database == "postgresql+psycopg://name:word@host/podcast"


def test_a_setting_of_ours_comes_before_one_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "80")
    monkeypatch.setenv("PODCAST_PORT", "8080")

    assert settings.read().port == 8080


def test_lists_are_separated_by_commas_or_spaces_and_addresses_lose_their_last_slash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PODCAST_WEBSUB_HUBS", "https://a.example, https://b.example")
    monkeypatch.setenv("PODCAST_BASE_URL", "https://podcast.example.org/")

    found = settings.read()

    assert found.websub_hubs == ("https://a.example", "https://b.example")
    assert found.origin == "https://podcast.example.org"


def test_the_file_is_read_in_utf_8_and_the_environment_comes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PODCAST_DATA_DIR=données\nPORT=1\n", encoding="utf-8")
    monkeypatch.setenv("PORT", "2")

    found = settings.read()

    assert (found.data_dir, found.port) == (Path("données"), 2)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("PODCAST_DATA_DIR=données".encode("latin-1"))

    with pytest.raises(BadSettings, match=r"\.env .*UTF-8"):
        settings.read()


def test_settings_are_never_changed_once_they_are_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.read().port = 1
