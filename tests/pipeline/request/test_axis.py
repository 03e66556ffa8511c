"""Axes: keys that can be swept, and allowed values."""

import pytest

from pipeline.model.errors import RequestError
from pipeline.request.axis import value_axis


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("stdp.A_pluss", [1, 2], r"stdp\.A_pluss=1,2: unknown axis; did you mean stdp\.A_plus\?"),
        ("tau_plus", [1, 2], r"did you mean stdp\.tau_plus\?"),
        ("record.traces", [True, False], r"record\.traces=True,False: cannot be swept"),
        ("stdp.tau_plus", [10, -1], r"stdp\.tau_plus=-1: LTP time constant must be .* > 0 ms"),
        ("stdp.tau_plus", [10, float("nan")], r"stdp\.tau_plus=nan"),
        ("stdp.A_minus", [None, 0.1], r"stdp\.A_minus=null: must be a value on an axis"),
        ("seed", [], r"seed: the axis has no values"),
        ("seed", [1, 2, 1], r"seed=1: repeated"),
        ("seed", range(10**9), r"seed: 1000000000 values; an axis must have <= 1000000"),
        ("seed", 5, r"seed=5: an axis needs a list of values"),
        ("seed", "12", r"seed=12: an axis needs a list of values"),
    ],
)
def test_a_wrong_axis_is_refused(key, values, message):
    """The message names the key, the value and what is allowed."""
    with pytest.raises(RequestError, match=message):
        value_axis(key, values)
