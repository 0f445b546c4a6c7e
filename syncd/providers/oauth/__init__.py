"""OAuth 2.0 as a client: a grant that somebody gave us, and access tokens from it (I13)."""
