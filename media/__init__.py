"""Audio as bytes and facts. Knows nothing of HTTP, of the database or of feeds."""
