import numpy as np
import pytest

from churn.monitoring.online_fdr import lord_plus_plus

STREAM = [
    2.9e-14, 0.06743, 0.01514, 0.08174, 0.00171, 0.27201, 3.61e-5, 0.79149, 7.59e-8, 0.28295, 0.69274,
    0.72342, 0.30443, 0.54757, 4.87e-4,
]  # fmt: skip
LEVELS = [
    0.0002675839, 0.0024664457, 0.0005732818, 0.0004872805, 0.0004059066, 0.0003447286, 0.0002986627,
    0.0029389397, 0.0008168502, 0.0033835974, 0.0011873999, 0.0010225858, 0.0008785607, 0.0007679398,
    0.0006820264,
]  # fmt: skip


def test_the_levels_of_a_known_stream():
    found = lord_plus_plus(STREAM, level=0.05, start=0.005)
    assert found.levels == pytest.approx(LEVELS, abs=5e-11)
    assert [place for place, each in enumerate(found.rejected, 1) if each] == [1, 7, 9, 15]


def test_a_level_depends_on_nothing_that_comes_later():
    whole = lord_plus_plus(STREAM, start=0.005)
    for length in (0, 1, 8):
        part = lord_plus_plus(STREAM[:length], start=0.005)
        assert part.levels.tolist() == whole.levels[:length].tolist()
        assert part.rejected == whole.rejected[:length]


def test_few_of_what_is_rejected_is_false():
    generator = np.random.default_rng(8)
    shares = []
    for _ in range(200):
        moved = generator.random(200) < 0.1
        p_values = np.where(moved, generator.random(200) * 1e-5, generator.random(200))
        rejected = np.array(lord_plus_plus(p_values.tolist()).rejected)
        shares.append((rejected & ~moved).sum() / max(rejected.sum(), 1))
        assert rejected[moved].mean() > 0.2 if moved.any() else True
    assert np.mean(shares) <= 0.05
