"""W150 to W154: the record. These are made where the record is tested; the table says where."""

from __future__ import annotations

from tests.attacks.recipes.model import Recipe

RECORD = (
    Recipe(
        id="W150",
        done="a leaf whose octets are two hashes of nodes",
        elsewhere="tests/unit/audit/test_merkle.py::test_a_leaf_is_never_a_node.",
    ),
    Recipe(
        id="W151",
        done="inclusion proofs with wrong numbers, lengths and hashes",
        elsewhere="tests/unit/audit/test_proofs.py::test_a_wrong_inclusion_proof_is_refused.",
    ),
    Recipe(
        id="W152",
        done="consistency proofs from nothing, backwards, and between equals",
        elsewhere="tests/unit/audit/test_proofs.py::test_a_wrong_consistency_proof_is_refused.",
    ),
    Recipe(
        id="W153",
        done="a text with line breaks that would look like a second entry",
        elsewhere="tests/unit/test_logs.py::test_line_breaks_cannot_make_a_second_entry and "
        "tests/unit/audit/test_canonical.py::test_a_line_break_in_a_value_does_not_make_a_second_line.",
    ),
    Recipe(
        id="W154",
        done="a checkpoint of another record, or an older one",
        elsewhere="tests/unit/audit/test_checkpoint.py::test_a_checkpoint_of_another_record_is_refused and "
        "tests/unit/store/test_tampering.py::test_a_checkpoint_that_shrinks_is_found.",
    ),
)
