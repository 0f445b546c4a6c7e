"""The operator's pages: everything at a glance, and what can be done about it."""
