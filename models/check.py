"""What a target takes, operation by operation, read from the file itself.

Edge TPU: Coral's table of supported operations, as cited in docs/accelerators.md; not verified on hardware.
"""

from collections import Counter

from gateway.core.errors import ModelError
from models.package import Package, folder_of
from models.runtimes.litert import LiteRt

EDGETPU = {"ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS", "FULLY_CONNECTED", "L2_NORMALIZATION",
           "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN",
           "RELU", "RELU6", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX",
           "SPACE_TO_DEPTH", "SPLIT", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "SQUARED_DIFFERENCE", "TANH", "TRANSPOSE", "TRANSPOSE_CONV"}
WHY = {"BATCH_MATMUL": "two operands that change: the chip multiplies by constants only", "GELU": "newer than the compiler",
       "DEQUANTIZE": "floats: give the chip an int8 graph", "DIV": "not in the table; multiply by the reciprocal"}
TINY = {"ADD", "BATCH_MATMUL", "CONCATENATION", "CONV_2D", "DEQUANTIZE", "DIV", "FULLY_CONNECTED", "MEAN", "MUL", "PACK", "QUANTIZE", "RESHAPE",
        "RSQRT", "SLICE", "SOFTMAX", "SQUARE", "SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "TRANSPOSE", "UNPACK", "EXPAND_DIMS", "SQUEEZE",
        "MAXIMUM", "SUM", "SPLIT"}
TARGETS = {"edgetpu": EDGETPU, "tiny": TINY}


def operations(graph):
    """Names of the operations of a graph, without those that a delegate put in."""
    return Counter(op["op_name"] for op in graph.interpreter._get_ops_details() if op["op_name"] != "DELEGATE")


def check_target(name, target, variant=None):
    """{"package", "variant", "target", "ops": [{"op", "count", "taken", "why"}], "verdict"}."""
    package = Package(folder_of(name))
    variant = variant or ("int8" if "int8" in package.variants else next(iter(package.variants)))
    if variant not in package.variants:
        raise ModelError("%s has no variant %s" % (package.name, variant), "variants: " + ", ".join(package.variants))
    found = package.variants[variant]
    graph = LiteRt(found.data(), str(found.path), plain=True)
    rows = [{"op": op, "count": n, "taken": op in TARGETS[target],
             "why": "" if op in TARGETS[target] else WHY.get(op, "not in the target's table")} for op, n in sorted(operations(graph).items())]
    refused = sum(row["count"] for row in rows if not row["taken"])
    total = sum(row["count"] for row in rows)
    verdict = "all %d operations are taken" % total if not refused else (
        "%d of %d operations are not taken; from the first of them on the graph runs on the CPU" % (refused, total))
    return {"package": package.name, "variant": variant, "target": target, "ops": rows, "verdict": verdict}
