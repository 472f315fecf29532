"""The least number of elements that a type needs: how a sample of a recursive schema is made to end."""

from __future__ import annotations

import math
from typing import Final

from adapter.envelope.schema_model import (
    ComplexType,
    Compositor,
    ElementDeclaration,
    Group,
    Occurrence,
    Particle,
    SchemaModel,
    SimpleType,
    Type,
    Wildcard,
    namespace_of,
)

INFINITE: Final = math.inf


class Costs:
    """The costs of all types of a model; infinite where only an endless document would do."""

    def __init__(self, model: SchemaModel) -> None:
        self._model = model
        self._of_type: dict[str, float] = {}
        complex_types = [kind for kind in model.types.values() if isinstance(kind, ComplexType)]
        changed = True
        # Every round settles at least one more type, so this ends.
        while changed:
            changed = False
            for kind in complex_types:
                cost = 0 if kind.content is None else self.particle(kind.content)
                if cost < self._of_type.get(kind.name, INFINITE):
                    self._of_type[kind.name] = cost
                    changed = True

    def type(self, kind: Type) -> float:
        """What must stand inside an element of exactly this type."""
        return self._of_type.get(kind.name, INFINITE) if isinstance(kind, ComplexType) else 0

    def cheapest_type(self, name: str) -> Type | None:
        """The type itself, or if it is abstract or endless the derived one that needs least; None if there is none."""
        kind = self._model.types[name]
        if isinstance(kind, SimpleType) or (not kind.abstract and self.type(kind) < INFINITE):
            return kind
        finite = [kind for kind in self._model.types_for(name) if self.type(kind) < INFINITE]
        return min(finite, key=self.type, default=None)

    def admitted(self, wildcard: Wildcard) -> ElementDeclaration | None:
        """Of the global elements that a wildcard lets in the one that needs least; None if there is none."""
        admitted = (
            element
            for element in self._model.elements.values()
            if not element.abstract and wildcard.admits(namespace_of(element.name)) and self.exactly(element) < INFINITE
        )
        return min(admitted, key=self.exactly, default=None)

    def element(self, declared: ElementDeclaration) -> float:
        """One element in the place of this one, substitutes counted."""
        return min((self.exactly(each) for each in self._model.choices_for(declared)), default=INFINITE)

    def exactly(self, declared: ElementDeclaration) -> float:
        """One element of this very declaration."""
        if declared.nillable:
            return 1
        kind = self.cheapest_type(declared.type)
        return INFINITE if kind is None else 1 + self.type(kind)

    def particle(self, particle: Particle) -> float:
        """The particle as often as it must stand."""
        return self.once(particle) * particle.occurs.minimum if particle.occurs.minimum else 0

    def once(self, particle: Particle) -> float:
        """The particle once."""
        if isinstance(particle, Occurrence):
            return self.element(particle.element)
        if isinstance(particle, Group):
            costs = [self.particle(member) for member in particle.members]
            if particle.compositor is Compositor.CHOICE:
                return min(costs, default=0)
            return sum(costs)
        if particle.process != "strict":
            return 1
        declared = self.admitted(particle)
        return INFINITE if declared is None else self.exactly(declared)
