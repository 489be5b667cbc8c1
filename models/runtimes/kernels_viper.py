"""kernels_plain in MicroPython's viper: machine code, made on the device. CPython cannot read it, and need not."""

import micropython


@micropython.viper
def matvec(out, weights, x, at: int, bias, shifts, columns: int):
    o = ptr16(out)  # noqa: F821  viper's own names
    w = ptr8(weights)  # noqa: F821
    v = ptr16(x)  # noqa: F821
    b = ptr8(bias)  # noqa: F821
    s = ptr8(shifts)  # noqa: F821
    rows = int(len(shifts))
    row = 0
    i = 0
    while i < rows:
        # ptr32 is not sign-extended on 64-bit ports: the word is put together from bytes
        total = b[4 * i] | b[4 * i + 1] << 8 | b[4 * i + 2] << 16 | ((b[4 * i + 3] ^ 128) - 128) << 24
        j = 0
        while j < columns:
            total += ((w[row + j] ^ 128) - 128) * ((v[at + j] ^ 32768) - 32768)
            j += 1
        row += columns
        total >>= s[i]
        if total < -32768:
            total = -32768
        if total > 32767:
            total = 32767
        o[i] = total
        i += 1
