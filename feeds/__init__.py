"""A show as a document: what listeners' apps read. No HTTP, no database, no audio files."""
