"""Real service descriptions: each element that goes over the wire gets valid samples, or a reason why not."""

import pytest

from adapter.envelope.description import ServiceDescription
from adapter.errors import DescriptionUnusable
from adapter.samples.broken import Mistake, break_sample
from adapter.samples.make import SampleMaker, Variant
from tests.corpus import NAMES, NO_SAMPLE, REASON, description_of

if not NAMES:
    pytest.skip(REASON, allow_module_level=True)

EVERY = pytest.mark.parametrize("name", NAMES)


def on_the_wire(description: ServiceDescription) -> list[str]:
    """Every Body, fault and header element, each once."""
    declared = description.schema.elements if description.schema is not None else frozenset()
    return list(
        dict.fromkeys(
            element
            for operation in description.operations
            for element in (
                operation.input_element,
                operation.output_element,
                *operation.faults,
                *(header.element for header in operation.headers if header.element in declared),
            )
            if element is not None
        )
    )


@EVERY
def test_every_element_has_valid_samples(name):
    description = description_of(name)
    maker = SampleMaker(description)
    impossible = NO_SAMPLE.get(name, set())
    for element in on_the_wire(description):
        for variant in Variant:
            if element.rpartition("}")[2] in impossible:
                with pytest.raises(DescriptionUnusable, match="a wildcard asks for an element"):
                    maker.sample(element, variant=variant)
            else:
                sample = maker.sample(element, variant=variant)
                assert sample.element.tag == element
                assert sample.checked is (element not in description.unchecked)


@EVERY
def test_broken_samples_are_refused_where_they_are_broken(name):
    description = description_of(name)
    maker = SampleMaker(description)
    checked = [operation for operation in description.operations if operation.type_checked]
    for element in list(dict.fromkeys(operation.input_element for operation in checked))[:12]:
        if element.rpartition("}")[2] in NO_SAMPLE.get(name, set()):
            continue
        sample = maker.sample(element)
        for mistake in Mistake:
            broken = break_sample(description, sample, mistake)
            if broken is None:
                continue
            found = [step.partition("[")[0] for step in broken.problems[0].element.split("/")]
            # The element itself, its parent, or for a missing one what stands in its place.
            assert tuple(found[: len(broken.path) - 1]) == broken.path[:-1]
            assert broken.problems[0].text
