"""Parameters that a path does not know, or gets twice, are refused with the way out."""

import pytest

from service.api.problems import ProblemError
from service.api.query_parameters import require_known

KNOWN = ("top", "below")


@pytest.mark.parametrize("query", [b"", b"&", b"top=5", b"below=0.3&top=", b"top"])
def test_known_parameters_pass_once_each(query):
    require_known(query, KNOWN)


@pytest.mark.parametrize(
    ("query", "known", "sentence"),
    [
        (b"topp=5", KNOWN, "Parameter 'topp' is not known here; did you mean 'top'?"),
        (b"TOP=5", KNOWN, "Parameter 'TOP' is not known here; did you mean 'top'?"),
        (b"verbose", KNOWN, "Parameter 'verbose' is not known here; it takes top, below."),
        (b"top=5", (), "Parameter 'top' is not known here; this path takes none."),
        (b"=5", KNOWN, "Parameter '' is not known here; it takes top, below."),
        (b"top=5&top=5", KNOWN, "Parameter 'top' stands twice in the address. Send it once."),
        (b"top=5&t%6fp=6", KNOWN, "Parameter 'top' stands twice in the address. Send it once."),
    ],
)
def test_any_other_is_refused(query, known, sentence):
    with pytest.raises(ProblemError) as refused:
        require_known(query, known)

    assert refused.value.status == 422
    assert refused.value.detail == sentence
