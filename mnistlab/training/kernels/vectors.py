"""Vectors of sixteen float32 numbers, for kernels that numba compiles.

numba leaves it to LLVM to find out that a loop could use vectors, and in loops like those of a
convolution it does not. With this type the kernel says so itself. Sixteen numbers are one register
of AVX-512, two of AVX2 and four of SSE or NEON; LLVM takes what the CPU has.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

WIDTH = 16
# Of functions in kernels: no check for a division by 0, and a * b + c may be one instruction.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}

FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
INTEGERS = ir.VectorType(ir.IntType(32), WIDTH)
HALVES = ir.VectorType(ir.IntType(16), WIDTH)
BYTES = ir.VectorType(ir.IntType(8), WIDTH)


class Vector(types.Type):  # type: ignore[misc]  # numba is untyped
    """The type of such a vector in a kernel."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


VECTOR = Vector()


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, FLOATS)


def _constant(kind: Any, number: float) -> Any:
    return ir.Constant(kind, [number] * WIDTH)


def fused_product(builder: Any, a: Any, b: Any, total: Any) -> Any:
    """a * b + total, in the code of an intrinsic."""
    kind = ir.FunctionType(FLOATS, [FLOATS] * 3)
    name = f"llvm.fmuladd.v{WIDTH}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b, total])


def _place(context: Any, builder: Any, kind: Any, element: Any, array: Any, index: Any) -> Any:
    """The pointer to the vector that begins at array[index] of a row of numbers."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), element.as_pointer())


@intrinsic
def spread(typing_context: Any, number: Any) -> Any:
    """A vector of one number sixteen times."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return spread_to(builder, arguments[0])

    return VECTOR(types.float32), emit


def spread_to(builder: Any, number: Any) -> Any:
    """As `spread`, in the code of an intrinsic."""
    undefined = ir.Constant(FLOATS, ir.Undefined)
    single = builder.insert_element(undefined, number, ir.IntType(32)(0))
    return builder.shuffle_vector(single, undefined, _constant(INTEGERS, 0))


@intrinsic
def loaded(typing_context: Any, array: Any, index: Any) -> Any:
    """array[index : index + 16] of float32, or of bfloat16 held as uint16."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        if kind.dtype == types.float32:
            pointer = _place(context, builder, kind, FLOATS, *arguments)
            return builder.load(pointer, align=4)
        pointer = _place(context, builder, kind, HALVES, *arguments)
        upper = builder.zext(builder.load(pointer, align=2), INTEGERS)
        return builder.bitcast(builder.shl(upper, _constant(INTEGERS, 16)), FLOATS)

    return VECTOR(array, types.int64), emit


@intrinsic
def stored(typing_context: Any, array: Any, index: Any, vector: Any) -> Any:
    """array[index : index + 16] = vector, rounded to the nearest where it holds bfloat16."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, vector = signature.args[0], arguments[2]
        if kind.dtype == types.float32:
            pointer = _place(context, builder, kind, FLOATS, *arguments[:2])
            builder.store(vector, pointer, align=4)
            return context.get_dummy_value()
        bits = builder.bitcast(vector, INTEGERS)
        # Of two that are as near the even one. A NaN could be rounded to infinity.
        odd = builder.and_(builder.lshr(bits, _constant(INTEGERS, 16)), _constant(INTEGERS, 1))
        nearest = builder.add(bits, builder.add(odd, _constant(INTEGERS, 0x7FFF)))
        is_nan = builder.fcmp_unordered("uno", vector, vector)
        nearest = builder.select(is_nan, _constant(INTEGERS, 0x7FC00000), nearest)
        upper = builder.trunc(builder.lshr(nearest, _constant(INTEGERS, 16)), HALVES)
        pointer = _place(context, builder, kind, HALVES, *arguments[:2])
        builder.store(upper, pointer, align=2)
        return context.get_dummy_value()

    return types.void(array, types.int64, VECTOR), emit


@intrinsic
def plus_product(typing_context: Any, total: Any, a: Any, b: Any) -> Any:
    """total + a * b, in one instruction where the CPU has it."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total, a, b = arguments
        return fused_product(builder, a, b, total)

    return VECTOR(VECTOR, VECTOR, VECTOR), emit


@intrinsic
def plus(typing_context: Any, a: Any, b: Any) -> Any:
    """a + b."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments)

    return VECTOR(VECTOR, VECTOR), emit


def _is_larger(builder: Any, new: Any, best: Any) -> Any:
    """As torch's pool compares: of equals the first stays, and so does a NaN."""
    is_nan = builder.fcmp_unordered("uno", new, new)
    return builder.or_(builder.fcmp_ordered(">", new, best), is_nan)


@intrinsic
def larger(typing_context: Any, best: Any, new: Any) -> Any:
    """Where new is larger than best it, else best."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        best, new = arguments
        return builder.select(_is_larger(builder, new, best), new, best)

    return VECTOR(VECTOR, VECTOR), emit


@intrinsic
def place_of_larger(typing_context: Any, best: Any, new: Any, place: Any, number: Any) -> Any:
    """Where new is larger than best `number`, else the place so far."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        best, new, place, number = arguments
        return builder.select(_is_larger(builder, new, best), number, place)

    return VECTOR(VECTOR, VECTOR, VECTOR, VECTOR), emit


@intrinsic
def where_positive(typing_context: Any, tested: Any, then: Any, otherwise: Any) -> Any:
    """`otherwise` where tested <= 0, `then` where it is larger or a NaN."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tested, then, otherwise = arguments
        is_not = builder.fcmp_ordered("<=", tested, _constant(FLOATS, 0.0))
        return builder.select(is_not, otherwise, then)

    return VECTOR(VECTOR, VECTOR, VECTOR), emit


@intrinsic
def store_bytes(typing_context: Any, array: Any, index: Any, vector: Any) -> Any:
    """array[index : index + 16] = vector, of small whole numbers, in an array of uint8."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _place(context, builder, signature.args[0], BYTES, *arguments[:2])
        whole = builder.fptosi(arguments[2], INTEGERS)
        builder.store(builder.trunc(whole, BYTES), pointer, align=1)
        return context.get_dummy_value()

    return types.void(array, types.int64, VECTOR), emit


@intrinsic
def where_byte(typing_context: Any, array: Any, index: Any, number: Any, vector: Any) -> Any:
    """The vector where array[index : index + 16], uint8, is that number, and 0 elsewhere."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, number, vector = arguments
        pointer = _place(context, builder, signature.args[0], BYTES, array, index)
        found = builder.zext(builder.load(pointer, align=1), INTEGERS)
        wanted = builder.trunc(number, ir.IntType(32))
        undefined = ir.Constant(INTEGERS, ir.Undefined)
        wanted = builder.insert_element(undefined, wanted, ir.IntType(32)(0))
        wanted = builder.shuffle_vector(wanted, undefined, _constant(INTEGERS, 0))
        is_there = builder.icmp_signed("==", found, wanted)
        return builder.select(is_there, vector, _constant(FLOATS, 0.0))

    return VECTOR(array, types.int64, types.int64, VECTOR), emit
