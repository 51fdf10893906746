from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import OpenBLASController, threadpool_info, threadpool_limits

from churn.models.one_thread import one_thread


def threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def three_threads():
    """Three BLAS threads, set by nobody in particular, whatever the machine has."""
    np.eye(2).dot(np.eye(2))
    limits = threadpool_limits(3, user_api="blas")
    OpenBLASController.clear_controlling_thread()
    yield
    limits.restore_original_limits()


def test_within_it_there_is_one_thread_and_afterwards_as_many_as_before():
    with one_thread():
        assert threads() == {1}
    assert threads() == {3}


def test_it_holds_in_every_thread_and_the_last_one_leaves_nothing_behind():
    def inside(_):
        with one_thread():
            return threads()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(inside, range(40))) == [{1}] * 40
    assert threads() == {3}


def test_a_fit_that_fails_lifts_the_limit_too():
    with pytest.raises(ArithmeticError), one_thread():
        raise ArithmeticError
    assert threads() == {3}
