"""iCloud, a flavour of CalDAV."""
