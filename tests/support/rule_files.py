"""Rules and an input process as a user writes them into files, and variations of them."""

#: Ten lines without the docstring.
SOFT = '''class SoftBounds(Rule):
    """LTP in proportion to the room above the weight, LTD in proportion to the weight."""

    A = quantity("amplitude", at_least=0, default=0.01)
    tau = quantity("time constant", "ms", above=0, default=20)
    traces = {"x_pre": Trace(PRE, "tau"), "x_post": Trace(POST, "tau")}

    def potentiate(w, traces, fields):
        return w + fields.A * (1 - w) * traces.x_pre

    def depress(w, traces, fields):
        return w - fields.A * w * traces.x_post
'''

#: With fields of the notebook's parameter set, and one that has no default.
HARD = '''from pipeline import POST, PRE, Rule, Trace, quantity


class HardBounds(Rule):
    """LTP and LTD of constant size."""

    ltd_share = quantity("LTD over LTP", at_least=0, at_most=10)
    A_plus = quantity("LTP amplitude", at_least=0, at_most=1)
    tau_plus = quantity("LTP time constant", "ms", above=0, default=17)
    traces = {"x_pre": Trace(PRE, "tau_plus"), "x_post": Trace(POST, "tau_plus")}

    def potentiate(w, traces, fields):
        return w + fields.A_plus * traces.x_pre

    def depress(w, traces, fields):
        return w - fields.ltd_share * fields.A_plus * traces.x_post
'''

#: Every synapse spikes periodically.
CLOCK = '''class Clock(InputProcess):
    """Regular trains, all synapses in step."""

    delay = quantity("time of the first spike", "ms", at_least=0, default=3)

    def events(self, dt, n_steps, seed):
        period = max(1, round(1000 / (self.rate_hz * dt)))
        steps = np.arange(round(self.delay / dt), n_steps, period)
        yield (steps[:, np.newaxis] * self.n_synapses + np.arange(self.n_synapses)).ravel()
'''


def replaced(text, *changes):
    """Return a text with parts replaced, each of which it has."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text
