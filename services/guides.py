"""What the policies of running cycles say of the distribution, and what that means for one unit."""

from typing import Final

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import calibrations, distribution, policies
from siklus.workflows.domain.commands import InGroup
from siklus.workflows.domain.packs import UnitRules, unit_rules
from siklus.workflows.domain.scheme.distribution import Distribution, Mode
from siklus.workflows.domain.values import AgencyId, EvaluationKey, Predicate

KEPT: Final = 512
"""Policies whose guides are remembered; a published version never changes."""


class Guides:
    """Reads each policy's guides once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int], UnitRules] = {}

    async def of(
        self, connection: Connection, agency: AgencyId, policy: str, version: int
    ) -> Distribution | None:
        """Return what a published policy says of the distribution, None where it says nothing."""
        return (await self.rules(connection, agency, policy, version)).distribution

    async def rules(
        self, connection: Connection, agency: AgencyId, policy: str, version: int
    ) -> UnitRules:
        """Return what a published policy says of a unit's ratings taken together."""
        key = (agency, policy, version)
        if key not in self._known:
            row = await policies.get(connection, agency, policy, version)
            while len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = unit_rules(row.source) if row else UnitRules()
        return self._known[key]

    async def group(self, connection: Connection, key: EvaluationKey) -> InGroup | None:
        """Return how the others of an evaluation's unit are rated, None where no guide applies."""
        place = await distribution.place(connection, key)
        if place is None:
            return None
        rule = await self.of(connection, key.agency, place.policy, place.policy_version)
        if rule is None or rule.mode is Mode.OFF:
            return None
        organisation = await distribution.organisation(
            connection, key.agency, key.cycle, place.unit
        )
        if organisation is None or not rule.guides.get(organisation):
            return None
        others, unrated = await distribution.counts(
            connection, key.agency, key.cycle, place.unit, but=key
        )
        agreed = await calibrations.agreed_to(connection, key)
        return InGroup(
            mode=rule.mode,
            min_group_size=rule.min_group_size,
            organisation=organisation,
            guides=rule.guides[organisation],
            others=others,
            unrated=unrated,
            agreed=Predicate(agreed) if agreed else None,
        )
