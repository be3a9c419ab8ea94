"""One error tree: a message, a next step, an exit status."""

from __future__ import annotations

import pickle

import pytest

from classifier.errors import ClassifierError, LabelledDataError, ModelError, UnreadableDocument, UsageError

KINDS = [UsageError, UnreadableDocument, LabelledDataError, ModelError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_one_that_the_command_handles(kind: type[ClassifierError]) -> None:
    error = kind("the file is gone", "look for it")
    assert isinstance(error, ClassifierError)
    assert (error.message, error.next_step) == ("the file is gone", "look for it")
    assert str(error) == "the file is gone; look for it"
    assert kind.__doc__


def test_without_a_next_step_the_message_stands_alone() -> None:
    assert str(UsageError("the file is gone")) == "the file is gone"


def test_only_an_unreadable_document_is_a_partial_failure() -> None:
    assert {kind.__name__: kind.exit_status for kind in KINDS} == {
        "UsageError": 2,
        "UnreadableDocument": 1,
        "LabelledDataError": 2,
        "ModelError": 2,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_back_from_a_worker_process(kind: type[ClassifierError]) -> None:
    back = pickle.loads(pickle.dumps(kind("the file is gone", "look for it")))
    assert type(back) is kind
    assert back.message == "the file is gone"
