"""Text as every store and every document can hold it."""
