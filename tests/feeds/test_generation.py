"""A feed's next generation holds the same bytes as one built from nothing, and costs the change alone."""

import gzip
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import generation, rss
from feeds.generation import Feed, Item
from tests.feeds.samples import BUILT_AT, SHOW, episode

HEAD, TAIL = b"<rss><channel>\n", b"</channel></rss>"
START = datetime(2026, 1, 1, tzinfo=UTC)


def item(number: int, words: str = "") -> Item:
    return Item(f"k{number:05}", START + timedelta(hours=number), f"<item>{number} {words}</item>\n".encode())


def catalogue(count: int) -> dict[str, Item]:
    return {one.key: one for one in map(item, range(count))}


def group_sizes(feed: Feed) -> list[int]:
    """Newest group first."""
    return [len(group.keys) for group in generation._read(feed).groups]


def segments_kept(before: Feed, after: Feed) -> tuple[int, int]:
    """How many groups of `after` hold the very compressed bytes of `before`, of how many."""
    old, new = ({bytes(g.segment.deflated) for g in generation._read(feed).groups} for feed in (before, after))
    return len(old & new), len(new)


def assert_whole(feed: Feed, head: bytes, items: list[Item]) -> None:
    newest_first = sorted(items, key=lambda one: (-int(one.published_at.timestamp()), one.key))
    expected = b"".join([head, *(one.xml for one in newest_first), TAIL])
    assert gzip.decompress(feed.gzip) == expected == generation.identity(feed)
    assert feed.size_bytes == len(expected)


def test_a_feed_is_one_gzip_stream_of_its_parts() -> None:
    items = [item(number) for number in range(120)]

    feed = generation.assemble(HEAD, TAIL, items)

    assert_whole(feed, HEAD, items)
    stream = zlib.decompressobj(wbits=31)
    stream.decompress(feed.gzip)
    assert stream.eof
    assert stream.unused_data == b""  # one member: some clients read no second one


def test_real_items_make_the_feed_that_rss_writes() -> None:
    episodes = [episode(number) for number in range(1, 60)]
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)

    feed = generation.assemble(head, tail, [Item(one.guid, one.published_at, rss.item(one)) for one in episodes])

    assert generation.identity(feed) == rss.rss(SHOW, episodes, built_at=BUILT_AT)


def test_a_feed_without_items_is_a_feed() -> None:
    feed = generation.assemble(HEAD, TAIL, [])

    assert_whole(feed, HEAD, [])
    assert list(generation.items(feed)) == []
    assert_whole(generation.changed(feed, HEAD, TAIL, [item(1)]), HEAD, [item(1)])


def test_the_groups_are_counted_from_the_oldest_end() -> None:
    assert group_sizes(generation.assemble(HEAD, TAIL, catalogue(120).values())) == [20, 50, 50]
    assert group_sizes(generation.assemble(HEAD, TAIL, catalogue(100).values())) == [50, 50]


def test_a_new_episode_touches_the_newest_group_alone() -> None:
    before = generation.assemble(HEAD, TAIL, catalogue(120).values())

    after = generation.changed(before, HEAD, TAIL, [item(120)])

    assert group_sizes(after) == [21, 50, 50]
    assert segments_kept(before, after) == (2, 3)


def test_a_new_episode_after_a_full_group_opens_the_next() -> None:
    before = generation.assemble(HEAD, TAIL, catalogue(100).values())

    after = generation.changed(before, HEAD, TAIL, [item(100)])

    assert group_sizes(after) == [1, 50, 50]
    assert segments_kept(before, after) == (2, 3)


@pytest.mark.parametrize("edit", ["replaced", "removed", "backdated"])
def test_a_change_in_the_past_touches_its_group_alone(edit: str) -> None:
    before = generation.assemble(HEAD, TAIL, catalogue(220).values())
    past = item(75)

    match edit:
        case "replaced":
            after = generation.changed(before, HEAD, TAIL, [replace(past, xml=b"<item>new</item>\n")])
        case "removed":
            after = generation.changed(before, HEAD, TAIL, remove={past.key})
        case _:
            after = generation.changed(before, HEAD, TAIL, [replace(past, key="other")])

    assert segments_kept(before, after) == (4, 5)


def test_a_new_episode_compresses_one_group_and_no_more() -> None:
    before = generation.assemble(HEAD, TAIL, catalogue(1020).values())

    with patch.object(zlib, "compressobj", wraps=zlib.compressobj) as compressobj:
        generation.changed(before, HEAD, TAIL, [item(1020)])

    assert compressobj.call_count == 3  # head, newest group, tail


def test_a_new_head_compresses_no_item() -> None:
    before = generation.assemble(HEAD, TAIL, catalogue(1020).values())

    after = generation.changed(before, b"<rss><channel>other\n", TAIL)

    assert segments_kept(before, after) == (21, 21)
    assert_whole(after, b"<rss><channel>other\n", list(catalogue(1020).values()))


def test_no_group_grows_without_bound() -> None:
    feed = generation.assemble(HEAD, TAIL, catalogue(100).values())

    for number in range(200):
        late = Item(f"late{number}", START + timedelta(hours=75, seconds=number), b"<item/>\n")
        feed = generation.changed(feed, HEAD, TAIL, [late])

    assert max(group_sizes(feed)) <= 75


def test_what_is_left_of_many_removals_is_grouped_anew() -> None:
    feed = generation.assemble(HEAD, TAIL, catalogue(1000).values())
    staying = [item(number) for number in range(0, 1000, 25)]

    feed = generation.changed(feed, HEAD, TAIL, remove=catalogue(1000).keys() - {one.key for one in staying})

    assert_whole(feed, HEAD, staying)
    assert group_sizes(feed) == [40]


def test_many_episodes_may_come_at_once() -> None:
    feed = generation.assemble(HEAD, TAIL, catalogue(10).values())

    feed = generation.changed(feed, HEAD, TAIL, [item(number) for number in range(10, 500)])

    assert_whole(feed, HEAD, list(catalogue(500).values()))
    assert max(group_sizes(feed)) <= 75


def test_an_episode_that_gets_another_date_moves_and_is_not_doubled() -> None:
    feed = generation.assemble(HEAD, TAIL, catalogue(120).values())
    moved = replace(item(3), published_at=START + timedelta(days=300))

    feed = generation.changed(feed, HEAD, TAIL, [moved])

    assert_whole(feed, HEAD, [moved, *(one for one in catalogue(120).values() if one.key != moved.key)])


def test_a_key_to_remove_that_is_not_there_is_passed_over() -> None:
    feed = generation.assemble(HEAD, TAIL, catalogue(3).values())

    assert generation.changed(feed, HEAD, TAIL, remove={"nobody"}) == feed


def test_kept_items_are_read_back() -> None:
    feed = generation.assemble(HEAD, TAIL, catalogue(120).values())

    assert list(generation.items(feed)) == [item(number) for number in reversed(range(120))]
    assert generation.item(feed, "k00042") == item(42)
    assert generation.item(feed, "nobody") is None


def test_an_edit_that_changes_no_byte_is_told_without_compressing() -> None:
    feed = generation.assemble(HEAD, TAIL, catalogue(120).values())

    with patch.object(zlib, "compressobj", side_effect=AssertionError):
        assert not generation.differs(feed, HEAD, TAIL)
        assert not generation.differs(feed, HEAD, TAIL, [item(42)], remove={"nobody"})
        assert generation.differs(feed, HEAD + b" ", TAIL)
        assert generation.differs(feed, HEAD, TAIL, [item(42, "other")])
        assert generation.differs(feed, HEAD, TAIL, [item(500)])
        assert generation.differs(feed, HEAD, TAIL, remove={"k00042"})


def test_an_edit_seen_with_the_old_build_date_differs_only_by_what_it_changes() -> None:
    head, tail = rss.channel(SHOW, built_at=BUILT_AT)
    feed = generation.assemble(head, tail, [Item("a", BUILT_AT, rss.item(episode(1)))])

    same, _ = rss.channel(SHOW, built_at=BUILT_AT)
    renamed, _ = rss.channel(replace(SHOW, title="Autre"), built_at=BUILT_AT)

    assert not generation.differs(feed, same, tail, [Item("a", BUILT_AT, rss.item(episode(1)))])
    assert generation.differs(feed, renamed, tail)


def test_the_etag_tells_two_contents_apart() -> None:
    feeds = [
        generation.assemble(HEAD, TAIL, [item(1)]),
        generation.assemble(HEAD, TAIL, [item(2)]),
        generation.assemble(HEAD, TAIL, [item(1), item(2)]),
        generation.assemble(HEAD + b" ", TAIL, [item(1)]),
        generation.assemble(HEAD, TAIL + b" ", [item(1)]),
    ]

    assert len({feed.etag for feed in feeds}) == len(feeds)
    assert all(len(feed.etag) == 32 and feed.etag.isalnum() for feed in feeds)


def test_an_index_of_another_version_is_refused() -> None:
    feed = generation.assemble(HEAD, TAIL, [item(1)])

    with pytest.raises(generation.Unreadable):
        generation.changed(replace(feed, index=b"pfi0" + feed.index[4:]), HEAD, TAIL)


@settings(deadline=None)  # a busy machine is no fault
@given(parts=st.lists(st.binary(max_size=300), max_size=6))
def test_the_checksum_of_a_whole_follows_from_those_of_its_parts(parts: list[bytes]) -> None:
    segments = [generation._segment([part]) for part in parts]

    assert generation._crc32(segments) == zlib.crc32(b"".join(parts))


KEYS = st.integers(0, 30).map(lambda number: f"k{number}")
STEPS = st.lists(
    st.tuples(
        st.lists(st.tuples(KEYS, st.integers(0, 20), st.binary(max_size=20)), max_size=6),
        st.sets(KEYS, max_size=6),
        st.sampled_from([HEAD, b"<rss><channel>renamed\n"]),
    ),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(start=st.integers(0, 12), steps=STEPS)
def test_any_history_ends_in_the_bytes_and_the_etag_of_a_cold_build(
    start: int, steps: list[tuple[list[tuple[str, int, bytes]], set[str], bytes]]
) -> None:
    with patch.multiple(generation, _GROUP=4, _MOST=6):  # small groups: many of them, with few items
        head = HEAD
        items = {f"k{n}": Item(f"k{n}", START + timedelta(seconds=n), b"%d" % n) for n in range(start)}
        feed = generation.assemble(head, TAIL, items.values())
        for puts, removed, head in steps:  # the last head is looked at below
            put = {key: Item(key, START + timedelta(seconds=second), xml) for key, second, xml in puts}
            remove = removed - put.keys()
            items = {key: one for key, one in {**items, **put}.items() if key not in remove}
            feed = generation.changed(feed, head, TAIL, put.values(), remove)
            assert max(group_sizes(feed), default=0) <= 6

        cold = generation.assemble(head, TAIL, items.values())

    assert_whole(feed, head, list(items.values()))
    assert feed.etag == cold.etag
    assert not generation.differs(feed, head, TAIL, items.values())
