"""What rounds of noisy sums give away: Renyi differential privacy of the (sampled) Gaussian mechanism.

Mironov, Talwar, Zhang: Renyi differential privacy of the sampled Gaussian mechanism (2019), integer orders; the step to
(epsilon, delta) by Canonne, Kamath, Steinke (2020), proposition 12. Checked against dp-accounting by a test.
"""

from math import comb, exp, inf, log, log1p

ORDERS = (*range(2, 64), 80, 96, 128, 192, 256, 512, 1024)
SMALLEST = 20  # gateways: below, noise that hides one hides everything, and nothing is called private


def one_round(noise, rate, order):
    """Renyi divergence of one round at an integer order. noise: standard deviation over the clip; rate: share of gateways drawn."""
    if not noise:
        return inf
    if rate == 1:
        return order / (2 * noise ** 2)
    terms = [log(comb(order, k)) + k * log(rate) + (order - k) * log1p(-rate) + k * (k - 1) / (2 * noise ** 2) for k in range(order + 1)]
    top = max(terms)
    return (top + log(sum(exp(term - top) for term in terms))) / (order - 1)


class Accountant:
    """Adds rounds up. spent: {order: divergence}, JSON-safe with string keys."""

    def __init__(self, spent=None):
        self.spent = {order: float((spent or {}).get(str(order), 0.0)) for order in ORDERS}

    def add(self, noise, rate=1.0):
        """One more round."""
        for order in ORDERS:
            self.spent[order] += one_round(noise, rate, order)

    def epsilon(self, delta):
        """Smallest epsilon at this delta, over all orders; 0 before the first round."""
        if not any(self.spent.values()):
            return 0.0
        return max(0.0, min(d + log1p(-1 / a) - (log(delta) + log(a)) / (a - 1) for a, d in self.spent.items()))

    def after(self, noise, delta, rate=1.0):
        """Epsilon if one more round were added."""
        trial = Accountant(self.to_dict())
        trial.add(noise, rate)
        return trial.epsilon(delta)

    def to_dict(self):
        """What is to be kept."""
        return {str(order): value for order, value in self.spent.items()}
