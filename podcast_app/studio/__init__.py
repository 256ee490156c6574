"""Producers' pages: plain forms that work without JavaScript."""
