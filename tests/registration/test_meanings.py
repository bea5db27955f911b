"""Every decision is explained."""

import pytest

from registration.decision_codes import DecisionCode
from registration.services import meanings
from registration.services.meanings import Place


@pytest.mark.parametrize("code", DecisionCode.values)
def test_every_code_has_its_meaning_cause_and_remedy(code: str) -> None:
    found = meanings.MEANINGS[DecisionCode(code)]
    for sentence in (found.meaning, found.cause, found.remedy):
        assert str(sentence).strip() and str(sentence)[-1] == "."
    assert isinstance(found.place, Place)


def test_a_code_of_a_later_version_is_explained_too() -> None:
    assert meanings.of("something_new") == meanings.MEANINGS[DecisionCode.INTERNAL]
