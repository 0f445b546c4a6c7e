"""Frozen values, pure functions and the error tree; imports the standard library only."""
