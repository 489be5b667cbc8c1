"""The tiny runtime's integers, on every interpreter, in whichever kernel that has."""

from array import array

from models.runtimes import kernels_plain, tiny
from models.runtimes.tiny import Dense, isqrt, norm, softmax


def numbers(n, seed, limit):
    """Integers from -limit to limit that every interpreter draws alike."""
    out = []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(seed % (2 * limit + 1) - limit)
    return out


def test_the_fast_kernel_gives_the_same_integers():
    for rows, columns in ((4, 24), (24, 160), (48, 24), (1, 1)):
        weights = bytes([v & 255 for v in numbers(rows * columns, rows, 127)])
        x = array("h", numbers(columns + 5, columns, 9000))
        bias = array("i", numbers(rows, 7, 1 << 24))
        shifts = bytes([v & 7 for v in numbers(rows, 9, 100)])
        slow, fast = array("h", bytes(2 * rows)), array("h", bytes(2 * rows))
        kernels_plain.matvec(slow, weights, x, 5, bias, shifts, columns)
        tiny.matvec(fast, weights, x, 5, bias, shifts, columns)
        assert slow == fast, (rows, columns)


def test_a_layer_saturates():
    layer = Dense(bytes([127, 129]), array("i", [0, 0]), bytes([0, 0]), 1)
    assert list(layer(array("h", [30000]))) == [32767, -32768]


def test_shares_sum_to_one():
    for logits in ([0, 0, 0, 0], [256, 0, -256, -512], [20000, 0, 0, -20000], numbers(32, 3, 2000)):
        shares = softmax(logits)
        assert 32768 - len(logits) <= sum(shares) <= 32768
        assert shares.index(max(shares)) == logits.index(max(logits))
    assert abs(softmax([177, 0])[0] - 21845) < 60  # ln 2 apart: two thirds


def test_norm_and_root():
    assert [isqrt(n) for n in (0, 1, 3, 4, 99, 100, 1 << 40)] == [0, 1, 1, 2, 9, 10, 1 << 20]
    out = norm(array("h", [256, -256] * 12), array("h", [256] * 24), array("h", [0] * 24))
    assert [abs(abs(v) - 256) <= 1 for v in out] == [True] * 24
