"""What people do in a podcast: groups and roles of the Podcasting 2.0 taxonomy (podcast:person), which a feed says in
small letters."""

# The cast first, because most people of an episode are of it; the others in the taxonomy's order.
TAXONOMY: dict[str, tuple[str, ...]] = {
    "cast": ("host", "co-host", "guest host", "guest", "voice actor", "narrator", "announcer", "reporter"),
    "creative direction": (
        "director",
        "assistant director",
        "executive producer",
        "senior producer",
        "producer",
        "associate producer",
        "development producer",
        "creative director",
    ),
    "writing": (
        "author",
        "editorial director",
        "co-writer",
        "writer",
        "songwriter",
        "guest writer",
        "story editor",
        "managing editor",
        "script editor",
        "script coordinator",
        "researcher",
        "editor",
        "fact checker",
        "translator",
        "transcriber",
        "logger",
    ),
    "audio production": (
        "studio coordinator",
        "technical director",
        "technical manager",
        "audio engineer",
        "remote recording engineer",
        "post production engineer",
    ),
    "audio post-production": (
        "audio editor",
        "sound designer",
        "foley artist",
        "composer",
        "theme music",
        "music production",
        "music contributor",
    ),
    "administration": (
        "production coordinator",
        "booking coordinator",
        "production assistant",
        "content manager",
        "marketing manager",
        "sales representative",
        "sales manager",
    ),
    "visuals": ("graphic designer", "cover art designer"),
    "community": ("social media manager",),
    "misc.": ("consultant", "intern"),
    "video production": ("camera operator", "lighting designer", "camera grip", "assistant camera"),
    "video post-production": ("editor", "assistant editor"),
}

# The taxonomy calls two trades "editor": of words, and of pictures that move.
_OTHERWISE = {
    ("video post-production", "editor"): "video editor",
    ("video post-production", "assistant editor"): "assistant video editor",
}
_KNOWN = frozenset(role for roles in TAXONOMY.values() for role in roles)


def label(role: str, group: str = "cast") -> str | None:
    """The role as people say it, in English and small letters, to be looked up in a catalogue; None for one that
    the taxonomy does not have, which is somebody's own word."""
    role, group = role.lower(), group.lower()
    return _OTHERWISE.get((group, role), role) if role in _KNOWN else None
