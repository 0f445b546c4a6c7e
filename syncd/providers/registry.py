"""The providers that syncd connects."""

from syncd.providers import caldav, google, icloud
from syncd.providers.kind import Kind

KINDS: tuple[Kind, ...] = (google.KIND, caldav.KIND, icloud.KIND)
