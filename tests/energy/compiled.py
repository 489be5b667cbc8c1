"""A graph as the Edge TPU's compiler leaves it, as far as a gateway sees: with an operation that only its delegate runs."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def compiled(data):
    """The bytes of a .tflite with one more operation, "edgetpu-custom-op", from its first input to a tensor that nobody reads."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = b"edgetpu-custom-op", 1
    model.operatorCodes.append(code)
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.buffer, tensor.name = [1], schema.TensorType.FLOAT32, 0, b"unread"
    graph.tensors.append(tensor)
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = len(model.operatorCodes) - 1, [int(graph.inputs[0])], [len(graph.tensors) - 1]
    graph.operators = [operator, *graph.operators]
    builder = flatbuffers.Builder(len(data) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
