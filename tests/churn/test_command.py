"""A small command's result, refusal and interruption."""

import pytest

from churn.command import print_result
from churn.errors import ChurnError, InputError


def test_a_result_is_printed_and_the_code_is_0(capsys):
    assert print_result(lambda: "written") == 0
    assert capsys.readouterr() == ("written\n", "")


@pytest.mark.parametrize(("kind", "code"), [(InputError, 2), (ChurnError, 1)])
def test_a_refusal_is_its_sentence_and_its_code(capsys, kind, code):
    def refuse():
        raise kind("The file is empty. Name another.")

    assert print_result(refuse) == code
    assert capsys.readouterr() == ("", "The file is empty. Name another.\n")


def test_an_interruption_is_130(capsys):
    def interrupt():
        raise KeyboardInterrupt

    assert print_result(interrupt) == 130
    assert capsys.readouterr().out == ""


def test_a_fault_of_the_code_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        print_result(lambda: 1 / 0)
