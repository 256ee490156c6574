"""People, HTTP and the database around `media` and `feeds`."""
