"""The providers that syncd connects."""

from syncd.providers import caldav, google, graph, icloud
from syncd.providers.kind import Kind

KINDS: tuple[Kind, ...] = (google.KIND, graph.KIND, caldav.KIND, icloud.KIND)
