"""Thin aiohttp handlers, one folder a dialect."""
