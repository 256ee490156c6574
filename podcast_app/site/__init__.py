"""Listeners' pages, the embed and its discovery."""
