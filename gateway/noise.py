"""Integer Laplace noise on counts, drawn exactly.

Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020), algorithms 1 and 2: whole numbers only,
from the system's random source. Floating-point noise can be told apart by its last bits (Mironov, 2012). The same
distribution is called two-sided geometric (Ghosh, Roughgarden and Sundararajan, 2009).
"""

from fractions import Fraction
from secrets import randbelow


def happens(share):
    """True with probability exp(-share), for a Fraction of 0 or more."""
    while share > 1:
        if not happens(Fraction(1)):
            return False
        share -= 1
    k = 1
    while randbelow(share.denominator * k) < share.numerator:
        k += 1
    return k % 2 == 1


def laplace(epsilon):
    """A whole number k with probability proportional to exp(-epsilon |k|). epsilon: a positive Fraction."""
    s, t = epsilon.numerator, epsilon.denominator
    while True:
        low = randbelow(t)
        if not happens(Fraction(low, t)):
            continue
        high = 0
        while happens(Fraction(1)):
            high += 1
        size, negative = (low + t * high) // s, randbelow(2)
        if size or not negative:
            return -size if negative else size
