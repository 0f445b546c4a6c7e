"""One comparison: a server with so many events, and what each client pays there."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench.clients import Cost, caldav_costs, our_costs, served, vdirsyncer_costs

CALENDARS = 20
FEW = 4  # profiles in every run: each is read in full first


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Costs by operation: ``first`` read, poll after ``ten`` changes, ``quiet`` and ``alone``."""

    kind: str
    count: int
    ours: dict[str, Cost]
    caldav: dict[str, Cost]
    vdirsyncer: dict[str, Cost]

    def times(self, peer: str, operation: str) -> float:
        """Return how many times our CPU time a peer needs."""
        theirs: dict[str, Cost] = getattr(self, peer)
        return theirs[operation].cpu / self.ours[operation].cpu


async def compared(kind: str, folder: Path, count: int, *, crowd: int = FEW) -> Comparison:
    """Compare; the more profiles a tick polls (``crowd``), the longer the first reads take."""
    with served(kind, folder / "server", count=count) as site:
        return Comparison(
            kind=kind,
            count=count,
            ours=await our_costs(site, folder, crowd=crowd),
            caldav=await caldav_costs(site),
            vdirsyncer=await vdirsyncer_costs(site, folder / "vdirsyncer"),
        )


async def many_calendars(kind: str, folder: Path) -> dict[str, Cost]:
    """Return our costs for a profile of twenty calendars."""
    with served(kind, folder / "server", count=20, calendars=CALENDARS) as site:
        return await our_costs(site, folder, crowd=FEW)
