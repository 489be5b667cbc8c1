"""The inner loop of the tiny runtime. kernels_viper is its twin in machine code; both give the same integers."""
# runs on CPython and MicroPython


def matvec(out, weights, x, at, bias, shifts, columns):
    """out[i] = (bias[i] + sum of weights[i, j] * x[at + j]) >> shifts[i], within int16.

    weights: bytes of int8, row after row; x, out: array("h"); bias: array("i"); shifts: bytes. Sums fit 32 bits.
    """
    row = 0
    for i in range(len(shifts)):
        total = bias[i]
        for j in range(columns):
            w = weights[row + j]
            total += (w - 256 if w > 127 else w) * x[at + j]
        row += columns
        total >>= shifts[i]
        out[i] = -32768 if total < -32768 else 32767 if total > 32767 else total
